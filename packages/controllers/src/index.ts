export {
  type ApplicationController,
  type ControllerStats,
  runApplicationController,
} from './application/controller.ts';
export type { ApplicationPorts, ApplicationSettings } from './application/ports.ts';
