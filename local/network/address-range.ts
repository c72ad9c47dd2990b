/** Whether a range of IPv4 addresses, as `10.0.0.0/16`, holds all of another; undefined if one of them is no such range. */
export function holds(range: string, other: string): boolean | undefined {
  const [outer, inner] = [parsed(range), parsed(other)];
  if (!outer || !inner) return undefined;
  return outer.bits <= inner.bits && prefix(inner.address, outer.bits) === prefix(outer.address, outer.bits);
}

/** Length of a range's prefix: the longer, the fewer addresses. */
export function prefixLength(range: string): number {
  return parsed(range)?.bits ?? 0;
}

function parsed(range: string): { readonly address: number; readonly bits: number } | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(range);
  if (!match) return undefined;
  const [a, b, c, d, bits] = match.slice(1).map(Number);
  return { address: ((a * 256 + b) * 256 + c) * 256 + d, bits };
}

function prefix(address: number, bits: number): number {
  return Math.floor(address / 2 ** (32 - bits));
}
