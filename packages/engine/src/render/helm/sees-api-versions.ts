import { type Action, actionsOf, type Operand, type Pipeline } from './template-syntax.ts';

/*
 * The API versions of a cluster are part of the context that Helm hands to a template (`.Capabilities.APIVersions`) and of nothing
 * else. A template that cannot get at them renders the same whatever they are. To get at them it has to
 *   - name them: `.Capabilities`, but for the fields of it that are something else;
 *   - or have the whole context as a value: print it, go through it, look up a computed name in it, keep it in a variable, hand it on
 *     in a list or a dict, or call one of the methods that Helm's type of it has (`.AsMap`);
 *   - or evaluate a text that is not here (`tpl`), or reach them through a subchart's context (`.Subcharts`).
 * All of that is looked for; what is not understood counts as found. The whole context may be the dot, where no `with` or `range`
 * has put another value in its place, and `$`. Since it may only ever be handed on as the context of another template, by `include`
 * and `template`, no other value can be it or hold it.
 */

/** Fields of the context that hold neither the API versions nor the context. Methods and all other keys begin with a capital. */
const harmless = new Set(['Values', 'Chart', 'Release', 'Files', 'Template']);
/** Capabilities that are something else. */
const otherCapabilities = new Set(['KubeVersion', 'HelmVersion']);

const mayReach = ({ fields: [first = ''] }: Operand): boolean =>
  first !== 'Capabilities' && !harmless.has(first) && !/^[\p{Ll}_]/u.test(first);

/** Whether the versions are named, of whatever value: a field of that name is never innocent. */
const namesThem = ({ fields }: Operand): boolean =>
  fields.some((field, index) => field === 'Capabilities' && !otherCapabilities.has(fields[index + 1] ?? ''));

/** Whether an operand is the whole context, or takes something out of it that may lead to the versions. */
const isSuspect = (operand: Operand, dotMayBeContext: boolean): boolean =>
  (operand.kind === 'root' || (operand.kind === 'dot' && dotMayBeContext)) && mayReach(operand);

const isWhole = ({ kind, fields }: Operand): boolean => (kind === 'root' || kind === 'dot') && fields.length === 0;

function commandIsSafe(command: readonly Operand[], dotMayBeContext: boolean): boolean {
  const [first] = command;
  const includes = first?.kind === 'word' && first.name === 'include' && command.length === 3;
  return command.every((operand, index) => {
    if (operand.kind === 'word' && operand.name === 'tpl') return false;
    if (namesThem(operand)) return false;
    if (operand.kind === 'group') return pipelineIsSafe(operand.group, dotMayBeContext);
    if (includes && index === 2 && isWhole(operand)) return true;
    return !isSuspect(operand, dotMayBeContext);
  });
}

const pipelineIsSafe = (pipeline: Pipeline, dotMayBeContext: boolean): boolean =>
  pipeline.every((command) => commandIsSafe(command, dotMayBeContext));

/** `template "name" .` and `block "name" .`: the context is handed on as it is, or something of it. */
function handsOnSafely([command = [], ...more]: Pipeline, dotMayBeContext: boolean): boolean {
  const [name, context, ...rest] = command;
  if (name?.kind !== 'constant') return false;
  if (more.length === 0 && rest.length === 0 && context !== undefined && isWhole(context)) return true;
  return pipelineIsSafe([command.slice(1), ...more], dotMayBeContext);
}

/** A block that is open: whether the dot may be the context in it, and outside of it. */
type Block = Readonly<{ keyword: string; inside: boolean; outside: boolean }>;

/** Follows the blocks of one template. */
class Walk {
  readonly #blocks: Block[] = [];

  /** Whether an action is safe where it stands. */
  take({ keyword, pipeline }: Action): boolean {
    const here = this.#blocks.at(-1)?.inside ?? true;
    if (keyword === 'end') return this.#blocks.pop() !== undefined;
    if (keyword === 'else') return this.#else(pipeline);
    if (keyword === 'template') return handsOnSafely(pipeline, here);
    if (keyword === 'block') {
      this.#blocks.push({ keyword, inside: true, outside: here });
      return handsOnSafely(pipeline, here);
    }
    if (keyword === 'define') this.#blocks.push({ keyword, inside: true, outside: here });
    if (keyword === 'if') this.#blocks.push({ keyword, inside: here, outside: here });
    if (keyword === 'with' || keyword === 'range') this.#blocks.push({ keyword, inside: false, outside: here });
    return pipelineIsSafe(pipeline, here);
  }

  /** In the other branch of `with` and `range` the dot is what it was before, unless `else with` gives it a new value. */
  #else(pipeline: Pipeline): boolean {
    const block = this.#blocks.pop();
    if (block === undefined) return false;
    const [[first, ...others] = [], ...more] = pipeline;
    const isWith = first?.kind === 'word' && first.name === 'with';
    this.#blocks.push({ ...block, inside: isWith ? false : block.outside });
    const condition = first?.kind === 'word' && (isWith || first.name === 'if') ? [others, ...more] : pipeline;
    return pipelineIsSafe(condition, block.outside);
  }

  get isClosed(): boolean {
    return this.#blocks.length === 0;
  }
}

/** Whether what a template renders may hang on the API versions of the cluster. When in doubt it does. */
export function seesApiVersions(template: string): boolean {
  const actions = actionsOf(template);
  if (actions === undefined) return true;
  const walk = new Walk();
  return !actions.every((action) => walk.take(action)) || !walk.isClosed;
}
