export type { OpenApi, Operation, Schema } from './docs/document.ts'
export { createApp, routeTable } from './app.ts'
export { Drain } from './drain.ts'
export { answer, accept } from './reply.ts'
export type { AppParts, Connections, HttpSettings } from './parts.ts'
export type { Principal } from './principal.ts'
export {
  currentRequest,
  type RequestContext,
  requestOrigin,
  withRequest,
} from './request-context.ts'
export { type Answer, type Asked, type Resource, type Route, route } from './route.ts'
export {
  type CertificateFiles,
  type CertificatePair,
  readCertificate,
  watchCertificate,
} from './certificate.ts'
