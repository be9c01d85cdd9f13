import type { Scene } from '../session.ts';

/** Deployments and their like from start to end: scale, rollout, history, wait, deletion. */
export const workloads: Scene = {
  name: 'workloads',
  files: {
    'stateful.yaml': `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: NAMESPACE}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: "example/db:1", volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: NAMESPACE}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: "example/agent:1"}]
`,
    'failing.yaml': `apiVersion: batch/v1
kind: Job
metadata: {name: failing, namespace: NAMESPACE}
spec:
  backoffLimit: 0
  template:
    metadata: {annotations: {sim.tiphys.dev/outcome: fail, sim.tiphys.dev/duration: 200ms}}
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "example/failing:1"}]
---
apiVersion: v1
kind: Pod
metadata: {name: crashing, namespace: NAMESPACE, annotations: {sim.tiphys.dev/outcome: crash}}
spec:
  containers: [{name: main, image: "example/crashing:1"}]
`,
    'suspended.yaml': `apiVersion: batch/v1
kind: Job
metadata: {name: suspended, namespace: NAMESPACE}
spec:
  suspend: true
  completions: 2
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "example/suspended:1"}]
`,
  },
  script: `
create deployment web --image=example/web:1 --replicas=2 -n NAMESPACE
apply -f stateful.yaml
apply -f failing.yaml
apply -f suspended.yaml
last: rollout status deployment/web -n NAMESPACE --timeout=20s
retry: wait '--for=jsonpath={.status.conditions[?(@.type=="Progressing")].reason}=NewReplicaSetAvailable' deployment/web -n NAMESPACE --timeout=5s
get deployment web -n NAMESPACE
get deployment web -n NAMESPACE -o wide
sorted: get replicasets -n NAMESPACE
sorted: get replicasets -n NAMESPACE -o wide
sorted: get pods -n NAMESPACE -l app=web
describe deployment web -n NAMESPACE
get deployment web -n NAMESPACE -o yaml
get replicasets -n NAMESPACE -o yaml
describe replicasets -n NAMESPACE
get pods -n NAMESPACE -l app=web -o jsonpath={.items[0].metadata.ownerReferences}{.items[0].spec}
scale deployment/web --replicas=3 -n NAMESPACE
retry: wait --for=jsonpath={.status.readyReplicas}=3 deployment/web -n NAMESPACE --timeout=10s
scale deployment/web --current-replicas=2 --replicas=1 -n NAMESPACE
scale deployment/web --current-replicas=3 --replicas=1 -n NAMESPACE
scale deployment/none --replicas=1 -n NAMESPACE
scale deployment/web --replicas=-1 -n NAMESPACE
scale configmap/none --replicas=1 -n NAMESPACE
last: rollout status deployment/web -n NAMESPACE --timeout=20s
set image deployment/web web=example/web:2 -n NAMESPACE
annotate deployment/web kubernetes.io/change-cause=second -n NAMESPACE
last: rollout status deployment/web -n NAMESPACE --timeout=20s
rollout history deployment/web -n NAMESPACE
rollout history deployment/web --revision=1 -n NAMESPACE
rollout history deployment/web --revision=9 -n NAMESPACE
rollout undo deployment/web -n NAMESPACE --dry-run=server
rollout undo deployment/web -n NAMESPACE
last: rollout status deployment/web -n NAMESPACE --timeout=20s
rollout undo deployment/web -n NAMESPACE --to-revision=9
rollout history deployment/web -n NAMESPACE
rollout pause deployment/web -n NAMESPACE
rollout pause deployment/web -n NAMESPACE
rollout restart deployment/web -n NAMESPACE
rollout undo deployment/web -n NAMESPACE
retry: wait '--for=jsonpath={.status.conditions[?(@.type=="Progressing")].reason}=DeploymentPaused' deployment/web -n NAMESPACE --timeout=5s
get deployment web -n NAMESPACE -o jsonpath={.status.conditions[*].reason}
rollout resume deployment/web -n NAMESPACE
rollout restart deployment/web -n NAMESPACE
last: rollout status deployment/web -n NAMESPACE --timeout=20s
sorted: get replicasets -n NAMESPACE
sorted: get replicasets -n NAMESPACE -o 'jsonpath={range .items[*]}{.metadata.annotations}{"\\n"}{end}'
last: rollout status statefulset/db -n NAMESPACE --timeout=30s
last: rollout status daemonset/agent -n NAMESPACE --timeout=20s
get statefulset,daemonset -n NAMESPACE
get statefulset,daemonset -n NAMESPACE -o wide
get pvc -n NAMESPACE
get statefulset db -n NAMESPACE -o yaml
get daemonset agent -n NAMESPACE -o yaml
get pvc data-db-0 -n NAMESPACE -o yaml
get pod db-0 -n NAMESPACE -o jsonpath={.metadata.labels}{.spec}
get controllerrevisions -n NAMESPACE -o jsonpath={.items[*].revision}
describe statefulset db -n NAMESPACE
describe daemonset agent -n NAMESPACE
get pvc data-db-0 -n NAMESPACE -o jsonpath={.metadata.annotations}
set image statefulset/db main=example/db:2 -n NAMESPACE
set image daemonset/agent main=example/agent:2 -n NAMESPACE
last: rollout status statefulset/db -n NAMESPACE --timeout=30s
last: rollout status daemonset/agent -n NAMESPACE --timeout=20s
rollout history statefulset/db -n NAMESPACE
rollout history daemonset/agent -n NAMESPACE
rollout undo statefulset/db -n NAMESPACE
rollout restart daemonset/agent -n NAMESPACE
scale statefulset/db --replicas=1 -n NAMESPACE
code: wait --for=delete pod/db-1 -n NAMESPACE --timeout=20s
wait --for=condition=failed job/failing -n NAMESPACE --timeout=20s
wait --for=condition=complete job/failing -n NAMESPACE --timeout=1s
get job failing suspended -n NAMESPACE
get job failing -n NAMESPACE -o yaml
describe job failing -n NAMESPACE
get job suspended -n NAMESPACE -o yaml
describe job suspended -n NAMESPACE
patch job suspended -n NAMESPACE --type=merge -p '{"spec":{"suspend":false}}'
wait --for=condition=complete job/suspended -n NAMESPACE --timeout=20s
get job suspended -n NAMESPACE -o jsonpath={.status}
patch job failing -n NAMESPACE --type=merge -p '{"spec":{"completions":5}}'
wait --for=condition=Ready pod/crashing -n NAMESPACE --timeout=1s
retry: wait --for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=CrashLoopBackOff pod/crashing -n NAMESPACE --timeout=10s
wait --for=create configmap/later -n NAMESPACE --timeout=1s
wait --for=jsonpath={.data.x}=y configmap/none -n NAMESPACE --timeout=1s
wait --for=delete configmap/none -n NAMESPACE
get events -n NAMESPACE --field-selector=involvedObject.kind=Deployment,involvedObject.name=none
sorted: get events -n NAMESPACE --field-selector=involvedObject.kind=Deployment -o 'jsonpath={range .items[*]}{.reason}|{.type}|{.source.component}|{.reportingComponent}|{.involvedObject.apiVersion}{"\\n"}{end}'
sorted: get events -n NAMESPACE --field-selector=involvedObject.kind=StatefulSet -o 'jsonpath={range .items[*]}{.reason}|{.type}|{.source.component}|{.message}{"\\n"}{end}'
sorted: get events -n NAMESPACE --field-selector=involvedObject.kind=Job -o 'jsonpath={range .items[*]}{.reason}|{.type}|{.source.component}|{.message}{"\\n"}{end}'
create configmap stuck --from-literal=a=b -n NAMESPACE
patch configmap stuck -n NAMESPACE --type=merge -p '{"metadata":{"finalizers":["example.com/hold"]}}'
delete configmap stuck -n NAMESPACE --timeout=1s
get configmap stuck -n NAMESPACE -o jsonpath={.metadata.finalizers}{.metadata.deletionGracePeriodSeconds}
patch configmap stuck -n NAMESPACE --type=merge -p '{"metadata":{"finalizers":["example.com/other"]}}'
patch configmap stuck -n NAMESPACE --type=merge -p '{"metadata":{"finalizers":null}}'
get configmap stuck -n NAMESPACE
delete pod crashing -n NAMESPACE --grace-period=0 --force
delete pod crashing -n NAMESPACE --now
delete pod none -n NAMESPACE --ignore-not-found
delete deployment web -n NAMESPACE --cascade=orphan
sorted: get replicasets -n NAMESPACE
delete replicasets --all -n NAMESPACE --cascade=foreground -o name --dry-run=server
code: delete replicasets --all -n NAMESPACE --cascade=foreground --timeout=20s
delete statefulset db -n NAMESPACE --cascade=background
delete daemonset agent -n NAMESPACE
delete job --all -n NAMESPACE
code: wait --for=delete pods --all -n NAMESPACE --timeout=20s
delete pvc --all -n NAMESPACE
delete cm -l none=none -n NAMESPACE
delete nonsense x -n NAMESPACE
delete -f stateful.yaml
get all -n NAMESPACE
`,
};
