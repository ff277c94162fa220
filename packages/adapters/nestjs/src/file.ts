import { StreamableFile, type ExecutionContext } from '@nestjs/common'
import { drained, type Reply } from '@trigger-hub/core'
import { hasLeft, headOf } from './http.ts'

/**
 * A file that a route answers, read into memory if it has at most `limit` bytes: Nest ends the stream of a file as soon as
 * the caller has left, and repeats want it whole.
 * @param forNobody  takes the reply when nobody is left to whom Nest would send it
 */
export async function inMemory(
  context: ExecutionContext,
  file: StreamableFile,
  limit: number,
  forNobody: (reply: Reply) => void,
): Promise<StreamableFile> {
  const content = await drained(file.getStream(), limit)
  if (hasLeft(context))
    forNobody({ ...headOf(context, file), ...(Buffer.isBuffer(content) && { body: content }) })
  return new StreamableFile(content as Buffer, file.options)
    .setErrorHandler(file.errorHandler)
    .setErrorLogger(file.errorLogger)
}
