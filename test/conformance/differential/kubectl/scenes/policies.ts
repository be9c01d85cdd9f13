import type { Scene } from '../session.ts';

const pod = (name: string, resources: string): string => `apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: NAMESPACE, labels: {app: ${name}}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: main, image: "example/${name}:1", resources: {${resources}}}]
`;

/** Quotas, limit ranges, disruption budgets and autoscalers: what they refuse, and what they say. */
export const policies: Scene = {
  name: 'policies',
  files: {
    'quota.yaml': `apiVersion: v1
kind: ResourceQuota
metadata: {name: compute, namespace: NAMESPACE}
spec:
  hard: {pods: "4", requests.cpu: "1", limits.memory: 1Gi, configmaps: "3", count/deployments.apps: "2", services.loadbalancers: "0", requests.storage: 5Gi}
`,
    'no-resources.yaml': pod('bare', ''),
    'large.yaml': pod('large', 'requests: {cpu: 1500m}, limits: {memory: 1Mi}'),
    'fits.yaml': pod('fits', 'requests: {cpu: 200m}, limits: {memory: 128Mi}'),
    'claim.yaml': `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: claim, namespace: NAMESPACE}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}}
`,
    'limits.yaml': `apiVersion: v1
kind: LimitRange
metadata: {name: limits, namespace: NAMESPACE}
spec:
  limits:
  - type: Container
    default: {memory: 64Mi}
    defaultRequest: {cpu: 50m}
    max: {memory: 256Mi}
    min: {cpu: 10m}
  - type: PersistentVolumeClaim
    max: {storage: 1Gi}
`,
    'too-much.yaml': pod('too-much', 'limits: {memory: 512Mi}'),
    'too-little.yaml': pod('too-little', 'requests: {cpu: 1m}'),
    'defaulted.yaml': pod('defaulted', ''),
    'budget.yaml': `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, namespace: NAMESPACE}
spec: {maxUnavailable: 0, selector: {matchLabels: {app: web}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: bare, namespace: NAMESPACE}
spec: {minAvailable: 50%, selector: {matchLabels: {app: fits}}}
`,
    'scaler.yaml': `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: NAMESPACE}
spec:
  minReplicas: 2
  maxReplicas: 3
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: lost, namespace: NAMESPACE}
spec:
  maxReplicas: 3
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: none}
`,
    'eviction.json': '{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"fits","namespace":"NAMESPACE"}}',
  },
  script: `
apply -f quota.yaml
retry: wait --for=jsonpath={.status.used.configmaps}=1 quota/compute -n NAMESPACE --timeout=5s
get quota -n NAMESPACE
apply -f no-resources.yaml
apply -f large.yaml
apply -f large.yaml --dry-run=server
apply -f fits.yaml
apply -f claim.yaml
create configmap one -n NAMESPACE
create configmap two -n NAMESPACE
create configmap three -n NAMESPACE
create service loadbalancer balanced --tcp=80 -n NAMESPACE
create deployment web --image=example/web:1 -n NAMESPACE
retry: wait --for=condition=ReplicaFailure deployment/web -n NAMESPACE --timeout=5s
get deployment web -n NAMESPACE -o 'jsonpath={.status.conditions[?(@.type=="ReplicaFailure")].reason}'
retry: wait --for=jsonpath={.status.used.pods}=1 quota/compute -n NAMESPACE --timeout=5s
describe quota compute -n NAMESPACE
get quota compute -n NAMESPACE -o yaml
apply -f limits.yaml
get limitrange limits -n NAMESPACE -o yaml
sorted: describe limitrange limits -n NAMESPACE
apply -f too-much.yaml
apply -f too-little.yaml
apply -f claim.yaml
apply -f defaulted.yaml
get pod defaulted -n NAMESPACE -o jsonpath={.metadata.annotations.kubernetes\\.io/limit-ranger}{.spec.containers[0].resources}
rollout restart deployment/web -n NAMESPACE
last: rollout status deployment/web -n NAMESPACE --timeout=20s
delete quota compute -n NAMESPACE
apply -f budget.yaml
apply -f scaler.yaml
retry: wait --for=jsonpath={.status.expectedPods}=2 pdb/web -n NAMESPACE --timeout=40s
last: rollout status deployment/web -n NAMESPACE --timeout=20s
retry: wait --for=jsonpath={.status.currentHealthy}=2 pdb/web -n NAMESPACE --timeout=20s
get pdb -n NAMESPACE
get pdb web -n NAMESPACE -o yaml
get pdb bare -n NAMESPACE -o "jsonpath={.status.conditions[0]['type','status','reason','message']}"
retry: wait --for=condition=ScalingActive=False hpa/web -n NAMESPACE --timeout=40s
retry: wait --for=condition=AbleToScale=False hpa/lost -n NAMESPACE --timeout=40s
get hpa -n NAMESPACE
get hpa web -n NAMESPACE -o yaml
get hpa lost -n NAMESPACE -o jsonpath={.status.conditions}
create --raw /api/v1/namespaces/NAMESPACE/pods/fits/eviction -f eviction.json
`,
};
