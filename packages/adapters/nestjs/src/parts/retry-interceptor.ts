import { HttpException, mixin } from '@nestjs/common'
import type { CallHandler, ExecutionContext, NestInterceptor, Type } from '@nestjs/common'
import { PermanentError, retry, type RetryContext, type RetryInRequestOptions } from '@trigger-hub/core'
import { from, lastValueFrom, type Observable } from 'rxjs'
import { httpOf } from '../http.ts'

const attempts = new WeakMap<object, RetryContext>()

/** Which attempt of a route this is; undefined without `RetryInterceptor`. */
export const attemptOf = (context: ExecutionContext): RetryContext | undefined =>
  attempts.get(httpOf(context).webhook)

/**
 * Runs the route again when it throws, while the sender waits. What the route refuses itself, with a status below 500,
 * is not tried again. The last error is thrown as it is.
 */
export function RetryInterceptor(options: RetryInRequestOptions = {}): Type<NestInterceptor> {
  const retrying = retry(options)
  class Interceptor implements NestInterceptor {
    intercept(context: ExecutionContext, handler: CallHandler): Observable<unknown> {
      const { res, webhook } = httpOf(context)
      const gone = new AbortController()
      res.once('close', () => gone.abort())
      const run = async (attempt: RetryContext): Promise<unknown> => {
        attempts.set(webhook, attempt)
        try {
          return await lastValueFrom(handler.handle(), { defaultValue: undefined })
        } catch (error) {
          throw isRefusal(error) ? new PermanentError('refused', { cause: error }) : error
        }
      }
      const unwrapped = (error: unknown): never => {
        throw PermanentError.is(error) && isRefusal(error.cause) ? error.cause : error
      }
      return from(retrying(run, gone.signal).catch(unwrapped))
    }
  }
  return mixin(Interceptor)
}

const isRefusal = (error: unknown): boolean => error instanceof HttpException && error.getStatus() < 500
