export * from './error.ts';
export * from './json.ts';
export * from './manifest.ts';
export * from './object.ts';
export * from './ports.ts';
export * from './selector.ts';
export * from './tracking.ts';
export * from './yaml.ts';
