import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import { WebhookError, problemOf, type Reply } from '@trigger-hub/core'
import { write } from './http.ts'

const brand = Symbol.for('trigger-hub.answered')

/** Thrown by a guard that has a reply of its own, such as to a sender's handshake. */
export class Answered extends Error {
  readonly reply: Reply

  constructor(reply: Reply) {
    super('The request is answered.')
    this.reply = reply
    Object.defineProperty(this, brand, { value: true })
  }
}

/** What the filter is for. Nest asks with `instanceof`, which says no to what another copy of core has thrown. */
abstract class Ours {
  static [Symbol.hasInstance](error: unknown): boolean {
    return WebhookError.is(error) || isAnswered(error)
  }
}

const isAnswered = (error: unknown): error is Answered =>
  typeof error === 'object' && error !== null && brand in error

/** Writes refusals as `application/problem+json`, the same bytes as in every framework. Other errors are the app's own. */
@Catch(Ours)
export class WebhookExceptionFilter implements ExceptionFilter {
  catch(error: WebhookError | Answered, host: ArgumentsHost): void {
    write(host, isAnswered(error) ? error.reply : problemOf(error))
  }
}
