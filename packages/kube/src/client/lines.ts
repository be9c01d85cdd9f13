const newline = 0x0a;

/** Splits a byte stream into lines without ever decoding a part of one. Each is at most `maxBytes` long. */
export function openLineSplitter(maxBytes: number, onLine: (line: Buffer) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let size = 0;
  const flush = (last: Buffer): void => {
    const line = parts.length === 0 ? last : Buffer.concat([...parts, last]);
    parts = [];
    size = 0;
    if (line.length > 0) onLine(line);
  };
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      flush(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start === chunk.length) return;
    size += chunk.length - start;
    if (size > maxBytes) throw new Error(`a line is longer than ${maxBytes} bytes`);
    parts.push(chunk.subarray(start));
  };
}
