import type { Scene } from '../session.ts';

const config = (name: string, more: string): string => `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
  namespace: NAMESPACE
${more}`;

/** A change of a template that the controller has not seen yet would be one with the next. */
const untilRevision = (revision: number): string =>
  `retry: wait '--for=jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/revision}=${revision}' deployment/web -n NAMESPACE --timeout=5s`;

/** Client- and server-side apply, diff, prune, replace, edit, patch, labels: how objects are changed. */
export const apply: Scene = {
  name: 'apply',
  files: {
    'one.yaml': config('one', '  labels: {app: shop}\ndata: {a: "1", b: "1"}\n'),
    'two.yaml': config('one', '  labels: {app: shop}\ndata: {a: "2", c: "1"}\n'),
    'both.yaml': `${config('one', '  labels: {app: shop}\ndata: {a: "2"}\n')}---\n${config('second', '  labels: {app: shop}\ndata: {}\n')}`,
    'typo.yaml': config('typo', 'datum: {a: b}\n'),
    'wrong.yaml': config('wrong', 'data: {a: 1}\n'),
    'bad-name.yaml': config('Bad_Name', 'data: {}\n'),
    'unknown.yaml': 'apiVersion: example.com/v9\nkind: Nothing\nmetadata: {name: x, namespace: NAMESPACE}\n',
    'broken.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x\n',
    'elsewhere.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: NAMESPACE-nowhere}\n',
    'deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NAMESPACE}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: main, image: "example/web:1", ports: [{containerPort: 80}]}
`,
    'selector.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NAMESPACE}
spec:
  selector: {matchLabels: {app: other}}
  template:
    metadata: {labels: {app: other}}
    spec:
      containers:
      - {name: main, image: "example/web:1"}
`,
    'generated.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: gen-, namespace: NAMESPACE}\n',
    'set.yaml': `apiVersion: v1
kind: Secret
metadata: {name: parts, namespace: NAMESPACE}
`,
    'patch.yaml': 'data:\n  from-file: "yes"\n',
    'bad-deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: bad, namespace: NAMESPACE}
spec:
  replicas: -1
  selector: {matchLabels: {app: bad}}
  template:
    metadata: {labels: {app: other}}
    spec:
      containers:
      - {name: Main, image: ""}
`,
  },
  script: `
apply -f one.yaml
apply -f one.yaml
apply -f two.yaml
get configmap one -n NAMESPACE -o yaml --show-managed-fields
apply view-last-applied configmap/one -n NAMESPACE
diff -f one.yaml
diff -f two.yaml
diff --server-side -f one.yaml
apply -f both.yaml --dry-run=client
apply -f both.yaml --dry-run=server
apply -f both.yaml --prune -l app=shop -n NAMESPACE
apply -f one.yaml --prune -l app=shop -n NAMESPACE --prune-allowlist=core/v1/ConfigMap
KUBECTL_APPLYSET=true apply -f both.yaml --prune --applyset=secret/parts -n NAMESPACE
KUBECTL_APPLYSET=true apply -f one.yaml --prune --applyset=secret/parts -n NAMESPACE
get secret parts -n NAMESPACE -o yaml
apply -f typo.yaml
apply -f typo.yaml --validate=warn
apply -f typo.yaml --validate=false
apply -f wrong.yaml
apply -f wrong.yaml --validate=false
apply -f bad-name.yaml
apply -f unknown.yaml
apply -f broken.yaml
apply -f elsewhere.yaml
apply -f bad-deployment.yaml
apply -f generated.yaml
create -f generated.yaml -o name
apply --server-side -f one.yaml
apply --server-side --field-manager=other -f two.yaml
apply --server-side --field-manager=other -f two.yaml --force-conflicts
apply --server-side -f one.yaml
apply --server-side --dry-run=server -f one.yaml --force-conflicts
get configmap one -n NAMESPACE -o yaml --show-managed-fields
apply --server-side -f typo.yaml
apply --server-side -f wrong.yaml
apply -f deployment.yaml
apply -f selector.yaml
apply -f selector.yaml --force
apply --server-side -f deployment.yaml --force-conflicts
apply -f deployment.yaml --force
get deployment web -n NAMESPACE -o jsonpath={.metadata.annotations.kubectl\\.kubernetes\\.io/last-applied-configuration}
apply set-last-applied -f deployment.yaml
apply set-last-applied configmap/none -f one.yaml
EDITOR="sed -i s,example/web:1,example/web:2," edit deployment web -n NAMESPACE
${untilRevision(2)}
EDITOR="sed -i s,example/web:2,example/web:2," edit deployment web -n NAMESPACE
EDITOR="sed -i s/replicas:.1/replicas:\\ -1/" edit deployment web -n NAMESPACE
EDITOR="sed -i 's/^data:/data:\\n  new: x/'" edit configmap one -n NAMESPACE
replace -f two.yaml
replace -f unknown.yaml
replace --force -f two.yaml
replace -f bad-deployment.yaml
patch configmap one -n NAMESPACE -p {"data":{"p":"1"}}
patch configmap one -n NAMESPACE -p '{"data":{"p":"1"}}'
patch configmap one -n NAMESPACE -p '{"data":{"p":"1"}}'
patch configmap one -n NAMESPACE --type=merge --patch-file=patch.yaml
patch configmap one -n NAMESPACE --type=json -p '[{"op":"test","path":"/data/p","value":"2"}]'
patch configmap one -n NAMESPACE --type=json -p '[{"op":"remove","path":"/data/none"}]'
patch configmap one -n NAMESPACE --type=json -p '[{"op":"copy","from":"/data/p","path":"/data/q"},{"op":"move","from":"/data/p","path":"/data/r"}]' -o yaml
patch configmap one -n NAMESPACE --type=json -p '[{"op":"frobnicate","path":"/data/p"}]'
patch configmap one -n NAMESPACE --type=json -p '{"data":{}}'
patch configmap one -n NAMESPACE --type=merge -p 'not json'
patch configmap none -n NAMESPACE --type=merge -p '{}'
patch deployment web -n NAMESPACE -p '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"s"}]}}}}'
${untilRevision(3)}
patch deployment web -n NAMESPACE -p '{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"main"}],"containers":[{"name":"side","$patch":"delete"}]}}}}'
${untilRevision(4)}
patch deployment web -n NAMESPACE --subresource=scale --type=merge -p '{"spec":{"replicas":3}}'
patch deployment web -n NAMESPACE --subresource=scale --type=merge -p '{"spec":{"replicas":-3}}'
patch deployment web -n NAMESPACE --subresource=status --type=merge -p '{"status":{"observedGeneration":-1}}'
patch deployment web -n NAMESPACE --subresource=nothing --type=merge -p '{}'
retry: wait --for=jsonpath={.status.replicas}=3 deployment/web -n NAMESPACE --timeout=5s
get deployment web -n NAMESPACE --subresource=scale
get deployment web -n NAMESPACE --subresource=scale -o yaml
get deployment web -n NAMESPACE --subresource=status -o name
label configmap one -n NAMESPACE team=a
label configmap one -n NAMESPACE team=b
label configmap one -n NAMESPACE team=b --overwrite
label configmap one -n NAMESPACE team-
label configmap one -n NAMESPACE team-
label configmap one -n NAMESPACE bad!=x
label configmap one -n NAMESPACE good=not/valid
label configmap one second -n NAMESPACE all=yes
label configmap --all -n NAMESPACE every=one -o name
annotate configmap one -n NAMESPACE note='two words'
annotate configmap one -n NAMESPACE note=other
annotate configmap one -n NAMESPACE note=other --overwrite
annotate configmap one -n NAMESPACE note-
annotate configmap one -n NAMESPACE --list
sorted: label configmap one -n NAMESPACE --list
set image deployment/web main=example/web:3 -n NAMESPACE
${untilRevision(5)}
set image deployment/web none=example/web:3 -n NAMESPACE
set env deployment/web A=b -n NAMESPACE
${untilRevision(6)}
set env deployment/web --list -n NAMESPACE
set env deployment/web A- -n NAMESPACE
${untilRevision(7)}
set env deployment/web --from=configmap/one --keys=a -n NAMESPACE
${untilRevision(8)}
set resources deployment/web --limits=cpu=200m,memory=64Mi --requests=cpu=100m -n NAMESPACE
${untilRevision(9)}
set resources deployment/web --limits=cpu=nonsense -n NAMESPACE
set serviceaccount deployment/web default -n NAMESPACE
retry: wait '--for=jsonpath={.status.conditions[?(@.type=="Progressing")].reason}=NewReplicaSetAvailable' deployment/web -n NAMESPACE --timeout=5s
set selector service/none app=x -n NAMESPACE
create rolebinding rb --clusterrole=view --user=u -n NAMESPACE
set subject rolebinding/rb --group=g -n NAMESPACE
get deployment web -n NAMESPACE -o yaml
`,
};
