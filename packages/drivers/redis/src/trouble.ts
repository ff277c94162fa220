const fixes: readonly [RegExp, string][] = [
  [/\b(WRONGPASS|NOAUTH)\b/, 'the server refuses the credentials; check user and password.'],
  [/\bNOPERM\b/, 'the user may not run what is needed; give it all commands on the keys of the prefix.'],
  [/\bOOM\b/, 'the server is full (maxmemory); give it more memory, or find out which bot does not keep up.'],
  [/\bREADONLY\b/, 'the server is a replica; name the primary.'],
  [/\bLOADING\b/, 'the server is still loading its data.'],
  [/\bMISCONF\b/, 'the server cannot write to its disk.'],
  [/\b(NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN)\b/, 'the servers behind it are not complete.'],
  [/replicas have it/, 'fewer replicas have it than option "replicas" asks for; bring them back.'],
  [/\bECONNREFUSED\b/, 'nobody listens at that address; start the server, or correct the URL.'],
  [/\b(ENOTFOUND|EAI_AGAIN)\b/, 'its name leads nowhere; correct the URL.'],
  [
    /\b(ECONNRESET|EPIPE)\b|Connection is closed|isn't writeable|max retries per request/,
    'the connection was lost, and another one is being made.',
  ],
]

/** What to do about an error, in one line. Never holds what the server or the client said beyond a short code. */
export function fixOf(error: unknown): string {
  const { message = 'it is not connected', code = '' } = (error ?? {}) as Partial<NodeJS.ErrnoException>
  const known = fixes.find(([sign]) => sign.test(`${message} ${code}`))
  return known ? known[1] : `${message}.`
}
