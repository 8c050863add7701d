import type { Details } from '@kaccy/bitcoin/kernel'
import { currentRequest } from '../http/request-context.ts'
import { currentTrace } from './tracer.ts'

/** What a log line carries of the request that is worked for: its id, the client's own word for it, and its trace. */
export function requestFacts(): Details {
  const request = currentRequest()
  if (!request) return currentTrace()
  const { requestId, correlationId } = request
  return {
    request_id: requestId,
    ...(correlationId === undefined ? {} : { correlation_id: correlationId }),
    ...currentTrace(),
  }
}
