import type { Scene } from '../session.ts';

/** Who may do what: roles, impersonation, tokens of service accounts, reviews. */
export const rights: Scene = {
  name: 'rights',
  files: {
    'token-secret.yaml': `apiVersion: v1
kind: Secret
metadata: {name: long, namespace: NAMESPACE, annotations: {kubernetes.io/service-account.name: robot}}
type: kubernetes.io/service-account-token
`,
    'review.yaml': `apiVersion: authorization.k8s.io/v1
kind: SubjectAccessReview
spec: {user: "system:serviceaccount:NAMESPACE:robot", resourceAttributes: {namespace: NAMESPACE, verb: get, group: apps, resource: deployments}}
`,
    'local.yaml': `apiVersion: authorization.k8s.io/v1
kind: LocalSubjectAccessReview
metadata: {namespace: NAMESPACE}
spec: {user: nobody, resourceAttributes: {namespace: NAMESPACE, verb: get, resource: pods}}
`,
    'map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made, namespace: NAMESPACE}\n',
    'sum.yaml': `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: NAMESPACE-more, labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}}
rules: [{apiGroups: [NAMESPACE.example.com], resources: [things], verbs: [get]}]
`,
  },
  script: `
create serviceaccount robot -n NAMESPACE
create role maps --verb=get,list,watch --resource=configmaps -n NAMESPACE
create rolebinding maps --role=maps --serviceaccount=NAMESPACE:robot -n NAMESPACE
create rolebinding lost --role=nowhere --serviceaccount=NAMESPACE:robot -n NAMESPACE
get configmaps -n NAMESPACE --as=system:serviceaccount:NAMESPACE:robot
create configmap x -n NAMESPACE --as=system:serviceaccount:NAMESPACE:robot
apply -f map.yaml --as=system:serviceaccount:NAMESPACE:robot
apply --server-side -f map.yaml --as=system:serviceaccount:NAMESPACE:robot
delete configmap kube-root-ca.crt -n NAMESPACE --as=system:serviceaccount:NAMESPACE:robot
get pods -n NAMESPACE --as=system:serviceaccount:NAMESPACE:robot
get pods -A --as=system:serviceaccount:NAMESPACE:robot
get nodes --as=alice
get namespace NAMESPACE --as=alice
get --raw /metrics --as=alice
get --raw /version --as=alice -o name
get pods -n NAMESPACE --as=alice --as-group=system:masters
auth can-i list configmaps -n NAMESPACE --as=system:serviceaccount:NAMESPACE:robot
auth can-i create configmaps -n NAMESPACE --as=system:serviceaccount:NAMESPACE:robot
auth can-i '*' '*' --as=alice
auth can-i get /healthz --as=alice
auth can-i --list -n NAMESPACE
sorted: auth can-i --list -n NAMESPACE --as=system:serviceaccount:NAMESPACE:robot
auth whoami --as=system:serviceaccount:NAMESPACE:robot
auth whoami --as=alice --as-group=team
create rolebinding viewers --clusterrole=view --user=alice -n NAMESPACE
get pods -n NAMESPACE --as=alice
get secrets -n NAMESPACE --as=alice
create rolebinding editors --clusterrole=edit --group=team -n NAMESPACE
create secret generic s -n NAMESPACE --as=bob --as-group=team
create role r --verb=get --resource=pods -n NAMESPACE --as=bob --as-group=team
scale deployment/none --replicas=1 -n NAMESPACE --as=alice
create -f review.yaml -o yaml
create -f local.yaml -o yaml
apply -f sum.yaml
retry: wait '--for=jsonpath={.rules[?(@.apiGroups[0]=="NAMESPACE.example.com")].verbs[0]}=get' clusterrole/view --timeout=5s
get clusterrole view edit admin cluster-admin -o 'jsonpath={range .items[*]}{.metadata.name}{.metadata.labels}{.aggregationRule}{"\\n"}{end}'
get clusterrole system:basic-user system:discovery system:public-info-viewer -o jsonpath={.items[*].rules}
get clusterrolebinding cluster-admin system:basic-user system:discovery system:public-info-viewer -o jsonpath={.items[*].subjects}
delete clusterrole NAMESPACE-more
apply -f token-secret.yaml
retry: wait --for=jsonpath={.data.namespace} secret/long -n NAMESPACE --timeout=5s
get secret long -n NAMESPACE
get secret long -n NAMESPACE -o go-template='{{range $k, $v := .data}}{{$k}} {{end}}{{.metadata.annotations}}'
code: create token robot -n NAMESPACE
create token robot -n NAMESPACE --duration=1m
create token none -n NAMESPACE
delete serviceaccount robot -n NAMESPACE
retry: wait --for=delete secret/long -n NAMESPACE --timeout=5s
`,
};
