/** The parameters of a form sorted by name and then value, each name followed by its value: what URL signers append. */
export function sortedFields(body: Buffer, { unique = false }: { readonly unique?: boolean } = {}): string {
  // a form has no NUL, which sorts first; sorting texts is many times faster than comparing pairs
  const fields = [...new URLSearchParams(body.toString('utf8'))]
    .map(([name, value]) => `${name}\0${value}`)
    .sort()
  return (unique ? [...new Set(fields)] : fields).map((field) => field.replace('\0', '')).join('')
}

/**
 * The text fields of a `multipart/form-data` body; files are left out, and so is a field that comes twice.
 * @see RFC 7578
 */
export function multipartFields(body: Buffer, contentType: string): Record<string, string> {
  const boundary = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType)
  const mark = boundary?.[1] ?? boundary?.[2]
  if (!/^multipart\/form-data\b/i.test(contentType) || mark === undefined) return {}
  const fields = new Map<string, string | undefined>()
  const parts = body.toString('utf8').split(`--${mark}`)
  for (const part of parts.slice(1, 200)) {
    const end = part.indexOf('\r\n\r\n')
    if (end === -1 || !part.endsWith('\r\n')) continue
    const head = part.slice(0, end)
    const name = /;\s*name="([^"]{1,200})"/i.exec(head)?.[1]
    if (name === undefined || /;\s*filename=/i.test(head)) continue
    fields.set(name, fields.has(name) ? undefined : part.slice(end + 4, -2))
  }
  return Object.fromEntries([...fields].filter((field): field is [string, string] => field[1] !== undefined))
}
