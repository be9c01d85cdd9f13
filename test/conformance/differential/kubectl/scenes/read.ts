import type { Scene } from '../session.ts';

const item = (name: string, more: string): string => `apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, namespace: NAMESPACE, labels: {${more}}}
data: {v: "${name}"}
---
`;

/** All forms of `get`, selectors, watches, explain, discovery, raw requests, events. */
export const read: Scene = {
  name: 'read',
  files: {
    'maps.yaml': [item('a', 'x: "1"'), item('b', 'x: "2"'), item('c', 'x: "1", y: z')].join(''),
    'pods.yaml': `apiVersion: v1
kind: Pod
metadata: {name: p, namespace: NAMESPACE, labels: {app: p}}
spec: {containers: [{name: main, image: "example/p:1"}]}
`,
  },
  script: `
apply -f maps.yaml
apply -f pods.yaml
get configmaps -n NAMESPACE
get cm -n NAMESPACE --show-labels
get cm -n NAMESPACE -L x,y
get cm -n NAMESPACE -l x=1
get cm -n NAMESPACE -l 'x in (1,2),!y'
get cm -n NAMESPACE -l x!=1
get cm -n NAMESPACE -l 'x=='
get cm -n NAMESPACE --field-selector=metadata.name=b
get cm -n NAMESPACE --field-selector=metadata.name!=b -o name
get cm -n NAMESPACE --field-selector=data.n=b
get cm -n NAMESPACE --field-selector=nonsense
get pods -n NAMESPACE --field-selector=status.phase=Failed
get pods -n NAMESPACE --field-selector=spec.nodeName!=,spec.restartPolicy=Always -o name
get pods -n NAMESPACE --field-selector=spec.unknown=x
get cm -n NAMESPACE -o name
get cm a -n NAMESPACE -o yaml
get cm a -n NAMESPACE -o json
get cm -n NAMESPACE -o yaml -l x
get cm -n NAMESPACE -o jsonpath={.items[*].metadata.name}
get cm -n NAMESPACE -o jsonpath='{range .items[*]}{.metadata.name}={.data.v}{"\\n"}{end}'
get cm -n NAMESPACE -o custom-columns=NAME:.metadata.name,X:.metadata.labels.x,NONE:.spec.none
get cm -n NAMESPACE -o go-template='{{range .items}}{{.metadata.name}} {{end}}'
get cm -n NAMESPACE --sort-by=.data.v -o name
get cm -n NAMESPACE --sort-by='{.metadata.labels.x}'
get cm -n NAMESPACE --sort-by=.nonsense
get cm -n NAMESPACE --no-headers
get cm -n NAMESPACE --chunk-size=1
get cm a b -n NAMESPACE
get cm a none -n NAMESPACE
get cm none -n NAMESPACE
get cm none -n NAMESPACE --ignore-not-found
get cm/a pod/p -n NAMESPACE
get cm,pods -n NAMESPACE
get nonsense -n NAMESPACE
get cm -n NAMESPACE-nowhere
get namespace NAMESPACE
get namespace NAMESPACE -o yaml
describe namespace NAMESPACE
get -f maps.yaml
get cm -A --field-selector=metadata.namespace=NAMESPACE,metadata.name=a
get nodes -o name
get storageclass
get --raw /api/v1/namespaces/NAMESPACE/configmaps/none
get --raw /nonsense
get --raw /apis/nonsense/v1
get --raw /api/v1/nonsense
get --raw /apis/apps/v1/nonsense
get --raw /livez
get --raw /readyz
get --raw /api/v1/namespaces/NAMESPACE/configmaps?limit=x
get --raw /api/v1/namespaces/NAMESPACE/configmaps?resourceVersion=x
get --raw /api/v1/namespaces/NAMESPACE/configmaps?fieldSelector=x
get --raw '/api/v1/namespaces/NAMESPACE/configmaps?resourceVersionMatch=Exact'
get --raw '/api/v1/namespaces/NAMESPACE/pods/p/nothing'
wait --for=condition=Ready pod/p -n NAMESPACE --timeout=10s
logs p -n NAMESPACE --container=none
logs none -n NAMESPACE
watch: get configmaps -n NAMESPACE -w -l x
watch: get configmaps -n NAMESPACE -w -l x -o name --output-watch-events
watch: get configmaps -n NAMESPACE --watch-only -o 'jsonpath={.metadata.name}{.data}{"\\n"}'
watch: get cm a -n NAMESPACE -w
sleep 300
create configmap d --from-literal=v=d -n NAMESPACE
label configmap d x=9 -n NAMESPACE
sleep 100
patch configmap d -n NAMESPACE --type=merge -p '{"data":{"v":"dd"}}'
sleep 100
label configmap d x- -n NAMESPACE
delete configmap a d -n NAMESPACE
stop
explain pod.spec.nonsense
explain nonsense
api-resources --sort-by=name
api-resources --api-group=apps -o wide
api-resources --namespaced=false -o name
api-versions
auth can-i create deployments -n NAMESPACE
auth can-i create nonsense -n NAMESPACE
auth can-i get /metrics
auth can-i --list -n NAMESPACE
version
cluster-info
top nodes
top pods -n NAMESPACE
events -n NAMESPACE-nowhere
get events -n NAMESPACE-nowhere
get cm b -n NAMESPACE -o yaml --show-managed-fields
get --raw /apis/apps
get --raw /api
`,
};
