import { stringifyYaml } from '@tiphys/api';

/** A value as YAML. Apart, so that a command that prints none does not read the package that writes it. */
export const yamlText = (value: unknown): string => stringifyYaml(value);
