import { CodedError } from '@tiphys/api';
import type { Clock } from '@tiphys/api';
import type { KubeClient } from '@tiphys/kube';

/** Who wants something. Rules that depend on rights read it; core mode acts with the rights of the kubeconfig. */
export type Actor = Readonly<{ username: string }>;

/** What every intent needs: the cluster of the control plane, its namespace (`argocd`), and the time. */
export type OperationPorts = Readonly<{ kube: KubeClient; namespace: string; clock: Clock }>;

/** One application. The namespace defaults to the control plane's. */
export type ApplicationRef = Readonly<{ name: string; namespace?: string | undefined }>;

/** Part of every request. */
export type Cancelable = Readonly<{ signal?: AbortSignal | undefined }>;

/** An intent that the state of the application forbids. The message says why and what to do. */
export const refused = (message: string): CodedError => new CodedError('operation/refused', message);
