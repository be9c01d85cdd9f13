import { isRecord } from '@tiphys/api';
import { itemsAt, numberIn, partOf, textAt, type Faults } from './faults.ts';
import { headerName, portName } from './text-forms.ts';

type Handler = Readonly<Record<string, unknown>>;
type Place = Readonly<{ path: string; graceSeconds: number }>;

const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'];

/** What is done to a container: exactly one thing. */
function checkHandler(handler: Handler, { path, graceSeconds }: Place, faults: Faults): void {
  const given = handlers.filter((one) => isRecord(handler[one]));
  for (const one of given.slice(1)) faults.forbidden(`${path}.${one}`, 'may not specify more than 1 handler type');
  const [kind] = given;
  if (kind === undefined) {
    faults.required(path, 'must specify a handler type');
    return;
  }
  const body = partOf(handler, kind);
  const here = `${path}.${kind}`;
  if (kind === 'exec' && itemsAt(body, 'command').length === 0) faults.required(`${here}.command`);
  if (kind === 'httpGet') checkHttp(body, here, faults);
  if (kind === 'httpGet' || kind === 'tcpSocket') checkPort(body, here, faults);
  if (kind === 'grpc') faults.port(`${here}.port`, body['port'] ?? 0);
  if (kind === 'sleep') checkSleep(numberIn(body, 'seconds') ?? 0, { path: here, graceSeconds }, faults);
}

function checkSleep(seconds: number, { path, graceSeconds }: Place, faults: Faults): void {
  if (seconds < 0 || seconds > graceSeconds)
    faults.invalid(path, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`);
}

function checkHttp(get: Handler, path: string, faults: Faults): void {
  if (textAt(get, 'path') === '') faults.required(`${path}.path`);
  const scheme = textAt(get, 'scheme');
  if (scheme !== 'HTTP' && scheme !== 'HTTPS') faults.unsupported(`${path}.scheme`, scheme, ['HTTP', 'HTTPS']);
  for (const header of itemsAt(get, 'httpHeaders')) {
    const name = textAt(header, 'name');
    faults.malformed(`${path}.httpHeaders`, name, headerName(name));
  }
}

function checkPort(handler: Handler, path: string, faults: Faults): void {
  const port = handler['port'];
  if (typeof port === 'string') faults.malformed(`${path}.port`, port, portName(port));
  else faults.port(`${path}.port`, port ?? 0);
}

const times = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'];

/** How it is found out whether a container lives, is ready or has started. */
export function checkProbe(probe: Handler, { path, graceSeconds }: Place, faults: Faults): void {
  checkHandler(probe, { path, graceSeconds }, faults);
  for (const field of times) faults.notNegative(`${path}.${field}`, probe[field]);
  const grace = numberIn(probe, 'terminationGracePeriodSeconds');
  if (grace !== undefined && grace <= 0)
    faults.invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0');
  if (path.endsWith('readinessProbe')) {
    if (grace !== undefined)
      faults.invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes');
  } else if ((numberIn(probe, 'successThreshold') ?? 1) !== 1)
    faults.invalid(`${path}.successThreshold`, probe['successThreshold'], 'must be 1');
}

/** What happens when a container has started and before it is stopped. */
export function checkLifecycle(lifecycle: Handler, { path, graceSeconds }: Place, faults: Faults): void {
  for (const hook of ['postStart', 'preStop'])
    if (isRecord(lifecycle[hook])) checkHandler(lifecycle[hook], { path: `${path}.${hook}`, graceSeconds }, faults);
}
