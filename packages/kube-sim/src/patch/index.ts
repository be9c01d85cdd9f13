export { jsonPatch } from './json-patch.ts';
export { mergePatch } from './merge-patch.ts';
export { strategicMergePatch } from './strategic-merge.ts';
export { conflictError, serverSideApply, settleTimes, trackUpdate } from './server-side-apply.ts';
export { trackScale } from './track-scale.ts';
export type { ApplyRequest, ApplyResult, Conflict, UpdateRequest, Writing } from './server-side-apply.ts';
