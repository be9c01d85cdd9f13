export { describeUrl, download, type DownloadLimits, type DownloadPorts, type HostTrust } from './download.ts';
export { type ProxyVariables } from './proxy.ts';
