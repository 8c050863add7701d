export { createLogger, type LoggerOptions } from '../host/logger.ts'
export {
  ALL_METRICS,
  type Exported,
  exportMetrics,
  SERVER_METRICS,
} from './metrics.ts'
export { type Check, type Readiness, type ReadinessParts, readiness } from './readiness.ts'
export { redact, redactText } from './redact.ts'
export { type OperationsParts, operationsResource } from './routes.ts'
export { currentTrace, currentTraceparent, openTelemetryTracer } from './tracer.ts'
