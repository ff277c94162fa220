import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { presets } from '../packages/core/src/sources/presets.ts'
import type { Place, Preset, Scheme } from '../packages/core/src/verify/index.ts'

/** Writes `docs/providers.md` from the records of the presets; with `--check`, says whether it is what they say. */
const file = join(__dirname, '../docs/providers.md')

/** Options of the senders that take more than a secret, as their snippet shows them. */
const options: Readonly<Record<string, string>> = {
  'atlassian-connect': `secret: process.env.ATLASSIAN_SHARED_SECRET, clientKey: '…'`,
  'aws-sns': `topicArn: 'arn:aws:sns:…', fetch: true, confirm: true`,
  box: `primaryKey: process.env.BOX_PRIMARY_KEY, secondaryKey: process.env.BOX_SECONDARY_KEY`,
  braintree: `publicKey: '…', privateKey: process.env.BRAINTREE_PRIVATE_KEY`,
  'google-pubsub': `audience: 'https://…', serviceAccountEmail: '…', fetch: true`,
  meta: `secret: process.env.META_APP_SECRET, verifyToken: process.env.META_VERIFY_TOKEN`,
  monday: `secret: process.env.MONDAY_SIGNING_SECRET, audience: 'https://…'`,
  paypal: `webhookId: '…', fetch: true`,
  plaid: `jwks`,
  pusher: `keys: [{ key: '…', secret: process.env.PUSHER_SECRET }]`,
  qstash: `secret: [process.env.QSTASH_CURRENT_SIGNING_KEY, process.env.QSTASH_NEXT_SIGNING_KEY]`,
  rfc9421: `keys: { 'key-1': { alg: 'ed25519', publicKey: pem } }, requiredComponents: ['@method', '@path', 'content-digest']`,
  truelayer: `fetch: true`,
}

const nameOf = (provider: string): string =>
  provider.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())

function snippet({ provider, scheme }: Preset): string {
  const env = `process.env.${provider.replace(/-/g, '_').toUpperCase()}`
  const given =
    options[provider] ??
    (scheme.kind === 'asymmetric' ? `publicKey: ${env}_PUBLIC_KEY` : `secret: ${env}_SECRET`)
  return `${nameOf(provider)}({ ${given} })`
}

const code = (text: string): string => `\`${text.replace(/\n/g, '\\n')}\``

/** What is signed, and how, in one cell. */
function signs(scheme: Scheme): string {
  switch (scheme.kind) {
    case 'hmac':
    case 'hash':
    case 'asymmetric': {
      const { algorithm, signature, signed } = scheme
      const how = scheme.kind === 'hmac' ? `HMAC ${algorithm.toUpperCase()}` : algorithm.toUpperCase()
      return `${code(signed)}: ${how}, ${signature.encoding}, in ${code(signature.header)}`
    }
    case 'token':
      return 'header' in scheme.token
        ? `nothing: a token in ${code(scheme.token.header)}`
        : 'query' in scheme.token
          ? `nothing: a token in the query, ${code(scheme.token.query)}`
          : `nothing: a token in the body, ${code(scheme.token.body)}`
    case 'jwt':
      return `${scheme.bodyHash ? 'the body, by a hash in a token' : 'nothing of the body: a token'}, ${scheme.algorithm}, in ${code(scheme.header)}`
    case 'own':
      return `${code(scheme.signed)}: ${scheme.algorithm}`
  }
}

const place = (one: Place): string =>
  'header' in one
    ? code(one.header)
    : 'body' in one
      ? `body ${code(one.body)}`
      : 'query' in one
        ? `query ${code(one.query)}`
        : 'text' in one
          ? `“${one.text}”`
          : 'the signed id'

const places = (value: Preset['key']): string => [value ?? []].flat().map(place).join(' + ')

function tolerance({ scheme }: Preset): string {
  const ms =
    'timestamp' in scheme ? scheme.timestamp?.toleranceMs : 'maxAgeMs' in scheme ? scheme.maxAgeMs : undefined
  return ms === undefined ? '–' : ms >= 60_000 ? `${ms / 60_000} min` : `${ms / 1_000} s`
}

const row = (preset: Preset): string => {
  const { provider, title, scheme, key, keySigned, answerWithinMs } = preset
  const id = key === undefined ? 'none' : `${places(key)}, ${keySigned ? 'signed' : '**unsigned**'}`
  const deadline = answerWithinMs === undefined ? '–' : `${answerWithinMs / 1_000} s`
  return `| [${title}](#${provider}) | ${signs(scheme)} | ${id} | ${tolerance(preset)} | ${deadline} |`
}

function section(preset: Preset): string {
  const {
    provider,
    title,
    docs,
    type,
    retries,
    rotation,
    pitfalls = [],
    handshakes,
    ackStatus,
    ackBody,
  } = preset
  const facts = [
    ...(type === undefined ? [] : [`Type: ${places(type)}.`]),
    ...(retries === undefined ? [] : [`Tries again: ${retries}.`]),
    ...(rotation === undefined ? [] : [rotation]),
    ...(ackStatus === undefined ? [] : [`It is answered ${ackStatus}.`]),
    ...(ackBody === undefined ? [] : [`It wants the answer "${ackBody}".`]),
    ...(handshakes === undefined ? [] : ['Its validation of the endpoint is answered; no bot sees it.']),
    ...pitfalls,
  ]
  return [
    `### <a id="${provider}"></a>${title}`,
    '',
    '```ts',
    snippet(preset),
    '```',
    '',
    ...facts.map((fact) => `- ${fact}`),
    `- [${title} on its signatures](${docs})`,
    '',
  ].join('\n')
}

export const page = (): string =>
  [
    '<!-- Made from the records in packages/core/src/sources by scripts/providers.ts; do not edit. -->',
    '',
    '# Senders',
    '',
    `${presets.length} senders, and \`hmac\` for any other. Each is imported by itself from \`@trigger-hub/core/sources\`:`,
    '',
    '```ts',
    `import { github } from '@trigger-hub/core/sources'`,
    '',
    'const source = github({ secret: process.env.GITHUB_SECRET })',
    '```',
    '',
    'For all of them: the exact bytes are checked, in constant time, against one secret or several; a header of a signature,',
    'an id or a timestamp that comes twice is refused; so are hex in upper case, base64 without its padding, and anything',
    'after a signature; a timestamp is digits alone (or RFC 3339 where the sender writes that) and checked both ways. Where',
    "a provider's own library is laxer, this is stricter. An id that is not signed can be replaced by whoever captured a",
    'request, so it counts together with the bytes of the body.',
    '',
    'Nothing is fetched unless a source is made with `fetch: true`: then the keys of Amazon SNS, PayPal, Google Pub/Sub, Microsoft',
    'Graph and TrueLayer come from where they publish them. Only their own hosts are asked, over https, for small texts, with',
    'no redirect and no private address, once for a key and at most five times a minute; what is found is kept.',
    '',
    'In what is signed, `{body}` is the raw body. "Clock" is how far the timestamp may be from this machine\'s clock; a dash',
    'means that none is signed, so a captured request does not grow old.',
    '',
    '| sender | signed | event id | clock | answer within |',
    '| --- | --- | --- | --- | --- |',
    ...presets.map(row),
    '',
    ...presets.map(section),
  ].join('\n')

if (require.main === module) {
  if (!process.argv.includes('--check')) writeFileSync(file, page())
  else if (readFileSync(file, 'utf8') !== page()) {
    console.error('docs/providers.md is not what the records say: run scripts/providers.ts')
    process.exitCode = 1
  }
}
