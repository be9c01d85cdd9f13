export * from './start.ts';
export { issueServerCredential, type ServerCredential } from './server/http/certificate.ts';
