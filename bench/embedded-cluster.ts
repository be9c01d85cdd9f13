/** The embedded cluster in a process of its own: its work must not count as the controller's. Prints its kubeconfig as one line of JSON. */
import { startKubeSim } from '@tiphys/kube-sim';

const sim = await startKubeSim({ simulation: {} });
console.log(JSON.stringify({ kubeconfig: sim.kubeconfig() }));
process.once('SIGTERM', () => {
  void sim.stop().finally(() => process.exit(0));
});
