import type { Scene } from '../session.ts';

const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.NAMESPACE.example.com}
spec:
  group: NAMESPACE.example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd], categories: [all, things]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size, description: How large}
    - {name: Colour, type: string, jsonPath: .spec.colour, priority: 1}
    - {name: Since, type: date, jsonPath: .metadata.creationTimestamp}
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.size, statusReplicasPath: .status.size, labelSelectorPath: .status.selector}
    selectableFields: [{jsonPath: .spec.colour}]
    schema:
      openAPIV3Schema:
        type: object
        description: A thing of a size.
        required: [spec]
        properties:
          spec:
            type: object
            required: [size]
            x-kubernetes-validations:
            - {rule: "self.size <= 10 || self.colour == 'red'", message: only red ones are large}
            - {rule: "self.size >= oldSelf.size", messageExpression: "'may not shrink'"}
            properties:
              size: {type: integer, minimum: 0, description: How large it is.}
              colour: {type: string, enum: [red, green], default: green}
              name: {type: string, maxLength: 5, pattern: '^[a-z]*$'}
              tags: {type: array, items: {type: string}, x-kubernetes-list-type: set}
          status:
            type: object
            properties:
              size: {type: integer}
              selector: {type: string}
  - name: v2
    served: true
    storage: false
    deprecated: true
    deprecationWarning: v2 of NAMESPACE.example.com goes
    schema:
      openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
`;

const widget = (name: string, spec: string): string =>
  `apiVersion: NAMESPACE.example.com/v1\nkind: Widget\nmetadata: {name: ${name}, namespace: NAMESPACE}\n${spec}\n`;

/** Definitions of custom resources and what they promise: columns, categories, defaults, checks, subresources, versions. */
export const custom: Scene = {
  name: 'custom',
  files: {
    'definition.yaml': definition,
    'no-schema.yaml': definition.replace(/schema:\n[^]*?versions/, 'versions').replace(/ {4}schema:[^]*$/, ''),
    'bad-definition.yaml': definition.replace('metadata: {name: widgets', 'metadata: {name: gadgets'),
    'good.yaml': widget('good', 'spec: {size: 3, tags: [a, b]}'),
    'more.yaml': widget('good', 'spec: {size: 4, colour: red, tags: [a, b]}'),
    'less.yaml': widget('good', 'spec: {size: 1}'),
    'large.yaml': widget('large', 'spec: {size: 11}'),
    'large-red.yaml': widget('large', 'spec: {size: 11, colour: red}'),
    'wrong.yaml': widget('wrong', 'spec: {size: many, colour: blue, name: TOOLONG, tags: [a, a]}'),
    'empty.yaml': widget('empty', 'spec: {}'),
    'nothing.yaml': widget('nothing', ''),
    'unknown.yaml': widget('unknown', 'spec: {size: 1, weight: 2}'),
    'second.yaml': widget('second', 'spec: {size: 2}').replace('/v1', '/v2'),
  },
  script: `
apply -f good.yaml
apply -f definition.yaml
wait --for=condition=Established crd/widgets.NAMESPACE.example.com --timeout=10s
apply -f bad-definition.yaml
retry: get widgets.NAMESPACE.example.com -n NAMESPACE
get crd widgets.NAMESPACE.example.com
get crd widgets.NAMESPACE.example.com -o yaml
retry: apply -f good.yaml
get widgets.NAMESPACE.example.com -n NAMESPACE
get widgets.NAMESPACE.example.com -n NAMESPACE -o wide
get widgets.NAMESPACE.example.com -n NAMESPACE -o yaml
get widgets.NAMESPACE.example.com -n NAMESPACE --field-selector=spec.colour=red
get widgets.NAMESPACE.example.com -n NAMESPACE --field-selector=spec.colour=green -o name
get widgets.NAMESPACE.example.com -n NAMESPACE --field-selector=spec.size=3
apply -f more.yaml
apply -f less.yaml
apply -f large.yaml
apply -f large-red.yaml
apply -f wrong.yaml
apply -f wrong.yaml --validate=false
apply -f empty.yaml
apply -f nothing.yaml
apply -f unknown.yaml
apply -f unknown.yaml --validate=ignore
get widgets.NAMESPACE.example.com unknown -n NAMESPACE -o yaml
apply --server-side -f good.yaml
apply --server-side -f wrong.yaml
apply --server-side -f unknown.yaml
apply -f second.yaml
get widgets.v2.NAMESPACE.example.com -n NAMESPACE
get widgets.v2.NAMESPACE.example.com second -n NAMESPACE -o yaml
explain widgets.spec --api-version=NAMESPACE.example.com/v1
api-resources --api-group=NAMESPACE.example.com -o wide
get all -n NAMESPACE
scale widgets.NAMESPACE.example.com/good --replicas=6 -n NAMESPACE
scale widgets.NAMESPACE.example.com/good --replicas=2 -n NAMESPACE
get widgets.NAMESPACE.example.com good -n NAMESPACE --subresource=scale -o yaml
patch widgets.NAMESPACE.example.com good -n NAMESPACE --subresource=status --type=merge -p '{"status":{"size":6,"selector":"a=b"},"spec":{"size":9}}'
patch widgets.NAMESPACE.example.com good -n NAMESPACE --subresource=status --type=merge -p '{"status":{"size":"x"}}'
patch widgets.NAMESPACE.example.com good -n NAMESPACE --type=merge -p '{"status":{"size":7}}'
patch widgets.NAMESPACE.example.com good -n NAMESPACE -p '{"spec":{"size":7}}'
patch widgets.NAMESPACE.example.com good -n NAMESPACE --type=json -p '[{"op":"replace","path":"/spec/size","value":8}]'
get widgets.NAMESPACE.example.com good -n NAMESPACE -o yaml --show-managed-fields
describe widgets.NAMESPACE.example.com good -n NAMESPACE
diff -f good.yaml
label widgets.NAMESPACE.example.com good -n NAMESPACE a=b
replace -f more.yaml
delete widgets.NAMESPACE.example.com good -n NAMESPACE
patch crd widgets.NAMESPACE.example.com --type=json -p '[{"op":"replace","path":"/spec/names/kind","value":"Other"}]'
patch crd widgets.NAMESPACE.example.com --type=json -p '[{"op":"replace","path":"/spec/scope","value":"Cluster"}]'
patch crd widgets.NAMESPACE.example.com --type=json -p '[{"op":"replace","path":"/spec/versions/1/storage","value":true},{"op":"remove","path":"/spec/versions/0"}]'
patch crd widgets.NAMESPACE.example.com --type=json -p '[{"op":"replace","path":"/spec/group","value":"x.example.com"}]'
patch crd widgets.NAMESPACE.example.com --type=json -p '[{"op":"replace","path":"/spec/versions/1/served","value":false}]'
delete crd widgets.NAMESPACE.example.com --timeout=20s
get widgets.NAMESPACE.example.com -n NAMESPACE
`,
};
