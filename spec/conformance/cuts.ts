/** Bytes in pieces of the given size, the last one smaller. */
export function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const result: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += size) result.push(bytes.subarray(start, start + size));
  return result;
}

/** Bytes in pieces of the given sizes; what they leave over is one more piece. */
export function piecesOf(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const result: Uint8Array[] = [];
  let start = 0;
  for (const size of sizes) {
    result.push(bytes.subarray(start, start + size));
    start += size;
  }
  if (start < bytes.length) result.push(bytes.subarray(start));
  return result;
}

/** Bytes cut at the given offsets, in any order; an offset outside of them wraps around. */
export function cutAt(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const sorted = offsets.map((offset) => offset % (bytes.length + 1)).sort((a, b) => a - b);
  const bounds = [0, ...sorted, bytes.length];
  return bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
}
