/** RFC 3339 without fractions, as Kubernetes writes times. */
export const timeText = (time: Date): string => time.toISOString().replace(/\.\d{3}Z$/, 'Z');
