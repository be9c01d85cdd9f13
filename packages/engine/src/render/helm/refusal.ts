/** Whether a repository refused us, rather than being away. */
export const isRefusal = (message: string): boolean => /\b40[13]\b|unauthorized|forbidden/i.test(message);
