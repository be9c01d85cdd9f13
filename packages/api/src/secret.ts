/** The fields of a Secret that hold no value of it. Whatever else stands in one, misspelt or of the wrong form, is told to nobody. */
export const openSecretFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'type', 'immutable']);
