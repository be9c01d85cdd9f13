export { formatDuration, parseDuration } from './duration.ts';
export { compileGlob, compilePathGlob, isGlob, type Matcher } from './glob.ts';
export {
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseBytes,
  parseQuantity,
  type Quantity,
} from './quantity.ts';
export {
  highestVersion,
  isVersionRange,
  parseVersion,
  parseVersionRange,
  type Version,
  type VersionRange,
} from './version-range.ts';
