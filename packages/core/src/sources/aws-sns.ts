import { verify as verifyWith } from 'node:crypto'
import { certificateKeys, type CertificateOptions } from '../verify/certificates.ts'
import { decoded } from '../verify/encodings.ts'
import { at, json } from '../verify/payload.ts'
import type { Preset } from '../verify/preset.ts'
import { refusal, type SignedRequest, type Source } from '../verify/source.ts'
import { SetupError } from '../words/errors.ts'
import { knownOptions, oneOf } from '../words/options.ts'

export const awsSnsPreset: Preset = {
  provider: 'aws-sns',
  title: 'Amazon SNS',
  docs: 'https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html',
  scheme: {
    kind: 'own',
    algorithm: 'RSA with SHA-1 (SignatureVersion 1) or SHA-256 (2), base64, in the body',
    signed:
      'name and value, a line each, of Message, MessageId, Subject, SubscribeURL, Timestamp, Token, TopicArn, Type',
  },
  key: { body: 'MessageId' },
  keySigned: true,
  type: { body: 'Type' },
  headers: [
    'x-amz-sns-message-type',
    'x-amz-sns-message-id',
    'x-amz-sns-topic-arn',
    'x-amz-sns-subscription-arn',
  ],
  answerWithinMs: 15_000,
  retries: 'as the delivery policy of the topic says; by default about 50 times within 6 hours',
  rotation:
    'Each message names the URL of its certificate: fetch: true gets it, or hand in those that are in use as certificates, by URL.',
  pitfalls: [
    'A subscription begins with a message of type SubscriptionConfirmation, whose SubscribeURL must be visited: by your bot, or with confirm: true by itself.',
    'Anybody with an AWS account can make SNS sign: check the topic, with the option topicArn.',
    'The body must be read to find the signature; nothing else of it is looked at before it holds.',
  ],
}

/** Certificates are those that `SigningCertURL` names. */
export interface AwsSnsOptions extends CertificateOptions {
  /** The topics to accept. Default: any, which is anybody with an AWS account. */
  readonly topicArn?: string | readonly string[]
  /** Confirm a subscription by visiting its SubscribeURL, once its signature holds. Needs topicArn. Default false. */
  readonly confirm?: boolean
}

/** Only the regional hosts of SNS, over https. */
const trusted = /^https:\/\/sns\.[a-z0-9-]{3,40}\.amazonaws\.com(?:\.cn)?\/[\w.-]{1,200}\.pem$/

const subscription =
  /^https:\/\/sns\.[a-z0-9-]{3,40}\.amazonaws\.com(?:\.cn)?\/\?Action=ConfirmSubscription&[\w.:&=%-]{1,2000}$/

const notification = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
const confirmation = ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type']
const signedFields = new Map([
  ['Notification', notification],
  ['SubscriptionConfirmation', confirmation],
  ['UnsubscribeConfirmation', confirmation],
])
const hashes = new Map([
  ['1', 'sha1'],
  ['2', 'sha256'],
])

/** HTTP subscriptions of Amazon SNS, with raw message delivery turned off. */
export function awsSns<Events = Record<string, unknown>>(options: AwsSnsOptions): Source<Events> {
  knownOptions('aws-sns', options, ['certificates', 'fetch', 'topicArn', 'confirm'])
  const keys = certificateKeys('aws-sns', options, trusted)
  const topics = options.topicArn === undefined ? undefined : [options.topicArn].flat()
  if (options.confirm !== undefined) oneOf('aws-sns.confirm', options.confirm, [true, false])
  if (options.confirm && !topics) {
    throw new SetupError(
      'ERR_OPTION_INVALID',
      'Option "aws-sns.confirm" needs topicArn: without it, anybody could subscribe this endpoint to a topic of theirs.',
    )
  }
  return {
    preset: awsSnsPreset,
    ...(options.confirm && { confirms: subscribeUrl }),
    wants: ({ rawBody }) => {
      const url = at(json(rawBody), 'SigningCertURL')
      return typeof url === 'string' ? keys.wanted(url) : undefined
    },
    check: ({ rawBody }, nowMs) => {
      const body = json(rawBody)
      const text = (name: string): string | undefined => {
        const value = at(body, name)
        return typeof value === 'string' ? value : undefined
      }
      const written = text('Signature')
      if (written === undefined) return refusal('ERR_SIGNATURE_MISSING', 'The body has no Signature.')
      const signature = written === '' ? undefined : decoded(written, 'base64')
      const hash = hashes.get(text('SignatureVersion') ?? '')
      const fields = signedFields.get(text('Type') ?? '')
      if (!signature || !hash || !fields) {
        return refusal('ERR_SIGNATURE_MALFORMED', 'Signature, SignatureVersion or Type is not of its form.')
      }
      const key = keys.find(text('SigningCertURL') ?? '', nowMs)
      if (!key) {
        return refusal(
          'ERR_SIGNATURE_MISMATCH',
          'No configured certificate is the one that the message names.',
        )
      }
      const lines = fields
        .map((name) => [name, text(name)] as const)
        .filter(([, value]) => value !== undefined)
      const signed = lines.map(([name, value]) => `${name}\n${value}\n`).join('')
      if (!verifyWith(hash, Buffer.from(signed), key, signature)) {
        return refusal('ERR_SIGNATURE_MISMATCH', 'The certificate does not match the signature.')
      }
      if (topics && !topics.includes(text('TopicArn') ?? '')) {
        return refusal('ERR_SIGNATURE_MISMATCH', 'The message is of another topic than the configured ones.')
      }
      return { ok: true }
    },
  }
}

/** The URL of a message that asks for a confirmation; only one of SNS itself. */
function subscribeUrl({ rawBody }: SignedRequest): string | undefined {
  const body = json(rawBody)
  const url = at(body, 'Type') === 'SubscriptionConfirmation' ? at(body, 'SubscribeURL') : undefined
  return typeof url === 'string' && subscription.test(url) ? url : undefined
}
