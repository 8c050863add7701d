import { spawnSync } from 'node:child_process'
import { METRICS } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { SERVER_METRICS } from '@kaccy/bitcoin-server/operations'
import { committedFiles, ROOT } from './tree.ts'

const deployed = committedFiles().filter(({ path }) => path.startsWith('deploy/'))
const textOf = (path: string) => deployed.find((file) => file.path === path)?.text ?? ''
const metrics = new Map([...METRICS, ...SERVER_METRICS].map((one) => [one.name as string, one]))

/** Metrics that a file asks for, with the series that a histogram is made of, and the labels it selects by. */
const asked = (text: string) =>
  [...text.matchAll(/\b(kaccy_\w+?)(_bucket|_count|_sum)?(?=[{[)\s"]|$)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', part, selector = '']) => ({
      name,
      part,
      labels: [...selector.matchAll(/(\w+)\s*(?:=~|!=|!~|=)/g)].map((match) => match[1] ?? ''),
    }),
  )

test.each(['deploy/prometheus/alerts.yaml', 'deploy/grafana/kaccy.json'])(
  '%s asks for metrics that exist, by labels that they have',
  (path) => {
    const found = asked(textOf(path).replaceAll('\\"', '"')).filter(({ name }) => name !== 'kaccy_')
    expect(found.length).toBeGreaterThan(8)
    for (const { name, part, labels } of found) {
      const definition = metrics.get(name)
      expect(definition, name).toBeDefined()
      if (part !== undefined) expect([name, definition?.kind]).toEqual([name, 'histogram'])
      const known: readonly string[] = [...(definition?.labels ?? []), 'instance', 'job', 'le']
      expect(labels.filter((label) => !known.includes(label))).toEqual([])
    }
  },
)

test('the dashboard is JSON with an id, and groups by labels that exist', () => {
  const { uid, panels } = JSON.parse(textOf('deploy/grafana/kaccy.json'))
  expect(uid).toBe('kaccy')
  const grouped = [
    ...JSON.stringify(panels).matchAll(
      /by \(([\w, ]+)\) \((?:rate|increase)?\(?(kaccy_\w+?)(?:_bucket|_count)?[{[)]/g,
    ),
  ]
  expect(grouped.length).toBeGreaterThan(8)
  for (const [, labels = '', name = ''] of grouped) {
    const known: readonly string[] = [...(metrics.get(name)?.labels ?? []), 'le']
    expect(labels.split(', ').filter((label) => !known.includes(label))).toEqual([])
  }
})

test('the dashboard shows every metric of ours', () => {
  const shown = new Set(
    asked(textOf('deploy/grafana/kaccy.json').replaceAll('\\"', '"')).map(({ name }) => name),
  )
  expect([...metrics.keys()].filter((name) => !shown.has(name))).toEqual([])
})

const has = (program: string) =>
  spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined

test.skipIf(/* reason in the name */ !has('systemd-analyze'))(
  'systemd reads the unit and finds it well shut in (SKIPPED without systemd-analyze)',
  () => {
    const unit = `${ROOT}deploy/systemd/kaccy.service`
    const run = (...args: string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' })
    const verified = run('verify', unit)
    const complaints = `${verified.stdout}${verified.stderr}`
      .split('\n')
      // The command is not installed on the machine that tests.
      .filter((line) => line.includes('kaccy') && !line.includes('is not executable'))
    expect(complaints).toEqual([])
    const { stdout } = run('security', '--offline=true', '--threshold=20', unit)
    expect(stdout).toMatch(/Overall exposure level for kaccy\.service: [01]\.\d OK/)
  },
)

test.skipIf(/* reason in the name */ !has('promtool'))(
  'Prometheus reads the rules and the configuration (SKIPPED without promtool)',
  () => {
    for (const [what, file] of [
      ['rules', 'alerts.yaml'],
      ['config', 'prometheus.yaml'],
    ] as const) {
      const path = `${ROOT}deploy/prometheus/${file}`
      const run = spawnSync('promtool', ['check', what, path], { encoding: 'utf8' })
      expect([run.status, run.stderr]).toEqual([0, ''])
    }
  },
)
