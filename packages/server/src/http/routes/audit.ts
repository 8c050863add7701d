import { Readable } from 'node:stream'
import type { AuditFilter } from '@kaccy/bitcoin/audit'
import { aloneAtATime } from '../alone.ts'
import type { AppParts } from '../parts.ts'
import { auditEntryJson, auditVerdictJson } from '../present/audit.ts'
import { answer, page } from '../reply.ts'
import { type Resource, type Route, route } from '../route.ts'
import {
  AuditEntrySchema,
  type AuditFilterText,
  AuditHeadSchema,
  AuditList,
  AuditQuery,
  AuditVerdictSchema,
  ExportQuery,
  VerifyQuery,
} from '../schemas/audit.ts'
import { limitOf, ref } from '../schemas/basics.ts'
import { needsEverything } from '../seen.ts'
import { readTimeIfGiven } from '../time.ts'

const tag = 'Audit'
const ALL = 'The trail is of all wallets: not for keys that are limited to some.'

export const auditResource = (parts: AppParts): Resource => ({
  routes: [listAudit(parts), exportAudit(parts), ...checking(parts)],
  named: [AuditEntrySchema, AuditHeadSchema, AuditVerdictSchema],
})

function filterOf({
  actor,
  subject,
  action,
  ...times
}: AuditFilterText): Omit<AuditFilter, 'limit'> {
  const from = readTimeIfGiven(times.from, 'from')
  const until = readTimeIfGiven(times.until, 'until')
  return {
    ...(actor === undefined ? {} : { actor }),
    ...(subject === undefined ? {} : { subject }),
    ...(action === undefined ? {} : { action }),
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
  }
}

const listAudit = ({ engine }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/audit',
    id: 'listAudit',
    tag,
    summary: 'Who did what, newest first',
    description: ALL,
    scope: 'audit:read',
    schemas: { query: AuditQuery, answers: { 200: AuditList } },
    async handle({ query, principal }) {
      needsEverything(principal)
      const isOldestFirst = query.order === 'oldest'
      const number = query.after === undefined ? undefined : Number(query.after)
      const place = isOldestFirst
        ? { after: number ?? 0 }
        : { newestFirst: true, ...(number === undefined ? {} : { before: number }) }
      const filter = { ...filterOf(query), ...place, limit: limitOf(query) + 1 }
      const rows = await engine.audit.list(filter)
      return answer(
        200,
        page(rows, limitOf(query), auditEntryJson, (row) => String(row.number)),
      )
    },
  })

const TYPES = {
  csv: 'text/csv; charset=utf-8; header=present',
  jsonl: 'application/jsonl; charset=utf-8',
}

const exportAudit = ({ engine }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/audit/export',
    id: 'exportAudit',
    tag,
    summary: 'The trail, or a part of it, for people outside',
    description: `Cells of the CSV form that a spreadsheet would run as a formula begin with an apostrophe. ${ALL}`,
    scope: 'audit:read',
    schemas: {
      query: ExportQuery,
      answers: {
        200: {
          description: 'The entries, oldest first',
          content: {
            'application/jsonl': { schema: { type: 'string' } },
            'text/csv': { schema: { type: 'string' } },
          },
        },
      },
    },
    async handle({ query, principal }) {
      needsEverything(principal)
      const { format = 'jsonl', ...filter } = query
      return answer(200, Readable.from(engine.audit.export(format, filterOf(filter))), {
        'content-type': TYPES[format],
        'content-disposition': `attachment; filename="audit.${format}"`,
      })
    },
  })

function checking({ engine }: AppParts): readonly Route[] {
  const alone = aloneAtATime()
  return [
    route({
      method: 'GET',
      url: '/v1/audit/head',
      id: 'getAuditHead',
      tag,
      summary: 'The newest entry, to be written down elsewhere',
      description: ALL,
      scope: 'audit:read',
      schemas: { answers: { 200: ref(AuditHeadSchema) } },
      async handle({ principal }) {
        needsEverything(principal)
        const { number, hash } = await engine.audit.head()
        return answer(200, { number, hash })
      },
    }),
    route({
      method: 'GET',
      url: '/v1/audit/verify',
      id: 'verifyAudit',
      tag,
      summary: 'Check every entry against the one before it',
      description: `Reads the whole trail, for one caller at a time. A cut end shows only against an anchor that was kept elsewhere. ${ALL}`,
      scope: 'audit:read',
      schemas: { query: VerifyQuery, answers: { 200: ref(AuditVerdictSchema) } },
      async handle({ query, principal }) {
        needsEverything(principal)
        const [number, hash = ''] = query.anchor?.split(':') ?? []
        const anchor = number === undefined ? undefined : { number: Number(number), hash }
        return answer(200, auditVerdictJson(await alone(() => engine.audit.verify(anchor))))
      },
    }),
  ]
}
