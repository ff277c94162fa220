/** The JSON of a body, or undefined: for schemes whose signature is in it, and so must be looked for before it holds. */
export function json(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

/** The fields of a form, own properties alone; of a repeated one all values, joined by `, `. */
export function form(body: Buffer): Record<string, string> {
  const fields = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(body.toString('utf8'))) {
    const before = fields.get(name)
    fields.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return Object.fromEntries(fields)
}

/** Follows a dotted path through own properties alone, so that `__proto__` and `length` lead nowhere. */
export function at(value: unknown, path: string): unknown {
  let found = value
  for (const name of path.split('.')) {
    if (typeof found !== 'object' || found === null || Buffer.isBuffer(found)) return undefined
    if (!Object.prototype.propertyIsEnumerable.call(found, name)) return undefined
    found = (found as Record<string, unknown>)[name]
  }
  return found
}
