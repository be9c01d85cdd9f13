import type { Scene } from '../session.ts';

/** Every generator of `kubectl create`, `run` and `expose`, and what `get` and `describe` say of what they made. */
export const create: Scene = {
  name: 'create',
  files: { 'app.properties': 'colour=blue\nsize=3\n' },
  script: `
create namespace NAMESPACE-other
delete namespace NAMESPACE-other --wait=false
create configmap plain --from-literal=a=b --from-file=app.properties -n NAMESPACE
create configmap plain --from-literal=a=b -n NAMESPACE
create secret generic password --from-literal=user=admin --type=example.com/login -n NAMESPACE
create secret docker-registry pull --docker-username=u --docker-password=p --docker-server=registry.example -n NAMESPACE
create secret tls broken --cert=app.properties --key=app.properties -n NAMESPACE
create serviceaccount builder -n NAMESPACE
create role reader --verb=get,list --resource=pods,deployments.apps -n NAMESPACE
create role broken --verb=get --resource=nonsense -n NAMESPACE
create rolebinding readers --role=reader --serviceaccount=NAMESPACE:builder --user=alice --group=team -n NAMESPACE
create clusterrole NAMESPACE-role --verb=get --resource=nodes --non-resource-url=/metrics
create clusterrole NAMESPACE-sum --aggregation-rule=a=b
create clusterrolebinding NAMESPACE-binding --clusterrole=NAMESPACE-role --user=alice
create quota small --hard=pods=10,configmaps=20 -n NAMESPACE
create pdb budget --selector=app=web --min-available=1 -n NAMESPACE
create priorityclass NAMESPACE-high --value=1000 --description=important
create service clusterip inner --tcp=80:8080 --tcp=443:8443 -n NAMESPACE
create service nodeport outer --tcp=80 -n NAMESPACE
create service loadbalancer balanced --tcp=80:8080 -n NAMESPACE
create service externalname elsewhere --external-name=example.com -n NAMESPACE
create service clusterip headless --clusterip=None --tcp=80 -n NAMESPACE
create ingress web --rule=a.example.com/*=inner:80,tls=cert --default-backend=inner:80 --annotation=x=y -n NAMESPACE
create deployment web --image=example/web:1 --replicas=2 --port=80 -n NAMESPACE
create deployment web --image=example/web:1 -n NAMESPACE --dry-run=server
create deployment dry --image=example/web:1 -n NAMESPACE --dry-run=server -o name
create job once --image=example/once:1 -n NAMESPACE -- true
create cronjob nightly --image=example/nightly:1 --schedule=@daily -n NAMESPACE -- true
create cronjob broken --image=example/nightly:1 --schedule=sometimes -n NAMESPACE
create job from-cron --from=cronjob/nightly -n NAMESPACE
run single --image=example/single:1 --labels=app=single,tier=x --port=8080 --env=A=b -n NAMESPACE
run ends --image=example/ends:1 --restart=Never -n NAMESPACE
expose pod single --port=80 --target-port=8080 --name=single-service -n NAMESPACE
expose deployment web --port=80 -n NAMESPACE
expose deployment web --port=80 -n NAMESPACE
autoscale deployment web --min=1 --max=5 --cpu=50% -n NAMESPACE
get configmaps,secrets,serviceaccounts -n NAMESPACE
get roles,rolebindings -n NAMESPACE
get roles,rolebindings -n NAMESPACE -o wide
get clusterrole NAMESPACE-role NAMESPACE-sum
get clusterrolebinding NAMESPACE-binding -o wide
get quota -n NAMESPACE -o name
get pdb,hpa -n NAMESPACE -o name
get priorityclass NAMESPACE-high
get priorityclass
get services -n NAMESPACE -o name
get ingress -n NAMESPACE -o name
retry: wait --for=jsonpath={.status.loadBalancer.ingress} ingress/web -n NAMESPACE --timeout=10s
retry: wait --for=jsonpath={.status.loadBalancer.ingress} service/balanced -n NAMESPACE --timeout=10s
get services -n NAMESPACE
get services -n NAMESPACE -o wide
get ingress -n NAMESPACE
get cronjobs -n NAMESPACE
get cronjobs -n NAMESPACE -o wide
wait --for=condition=complete job/once job/from-cron -n NAMESPACE --timeout=20s
get jobs -n NAMESPACE
get jobs -n NAMESPACE -o wide
wait --for=jsonpath={.status.phase}=Succeeded pod/ends -n NAMESPACE --timeout=20s
wait --for=condition=Ready pod/single -n NAMESPACE --timeout=20s
get pod ends single -n NAMESPACE
get pod single -n NAMESPACE -o wide
describe configmap plain -n NAMESPACE
describe secret password -n NAMESPACE
describe serviceaccount builder -n NAMESPACE
describe role reader -n NAMESPACE
describe rolebinding readers -n NAMESPACE
describe clusterrole NAMESPACE-role
describe clusterrolebinding NAMESPACE-binding
describe priorityclass NAMESPACE-high
describe ingress web -n NAMESPACE
describe service inner -n NAMESPACE
describe service headless -n NAMESPACE
describe cronjob nightly -n NAMESPACE
describe job once -n NAMESPACE
get pod single -n NAMESPACE -o jsonpath={.metadata.labels}{.spec}
get job once -n NAMESPACE -o yaml
get service balanced -n NAMESPACE -o yaml
get service elsewhere -n NAMESPACE -o yaml
get ingress web -n NAMESPACE -o yaml
get cronjob nightly -n NAMESPACE -o yaml
get pdb budget -n NAMESPACE -o yaml
get quota small -n NAMESPACE -o yaml
describe quota small -n NAMESPACE
describe pdb budget -n NAMESPACE
get quota -n NAMESPACE
get pdb -n NAMESPACE
get endpoints,endpointslices -n NAMESPACE -o name
get deployments,services,cronjobs -n NAMESPACE
delete clusterrole NAMESPACE-role NAMESPACE-sum
delete clusterrolebinding NAMESPACE-binding
delete priorityclass NAMESPACE-high
`,
};
