import { expect, test } from 'vitest'
import { committedFiles, hits } from './tree.ts'

const files = committedFiles().filter(({ path }) => !path.endsWith('package-lock.json'))

test('no file names a place of one machine', () => {
  // Split, so that this file does not find itself.
  const homes = ['work', 'tmp', 'root', 'home', 'Users'].join('|')
  expect(hits(files, new RegExp(`(^|[\\s"'\`(=:])/(${homes})/[\\w.]`))).toEqual([])
})

test('no file names the host of a package registry', () => {
  const hosts = [
    'registry\\.npmjs',
    'pypi\\.org',
    'proxy\\.golang',
    'static\\.crates',
    'deb\\.debian',
    'repo\\.maven',
  ]
  expect(hits(files, new RegExp(`(${hosts.join('|')})`))).toEqual([])
})

/** Beginnings of keys that the BIPs publish: nobody can keep money with them. */
const PUBLISHED = [
  'zprvAdG4iTXWBoARxkkzNpNh8r6Qag3irQB8PzEMkAFeTRXxHpbF9z4QgEvBRmfvqWvGp42t42nvgGpNg',
  'xprv9xgqHN7yz9MwCkxsBPN5qetuNdQSUttZNKw1dcYTV4mkaAFiBVGQziHs3NRSWMkCzvgjEe3n9xV8oYyw',
]

test('no file holds a private key in a form that could guard money', () => {
  const found = hits(files, /\b[xyz]prv[1-9A-HJ-NP-Za-km-z]{100,}/)
  expect(found.filter((line) => !PUBLISHED.some((key) => line.includes(key)))).toEqual([])
})

test('links between pages lead somewhere', () => {
  const all = new Set(committedFiles().map(({ path }) => path))
  const broken = files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)]*)?\)/g)]
        .map((match) => new URL(match[1] ?? '', `file:///${path}`).pathname.slice(1))
        .filter(
          (target) =>
            !all.has(target) &&
            ![...all].some((file) => file.startsWith(`${target.replace(/\/$/, '')}/`)),
        )
        .map((target) => `${path} -> ${target}`),
    )
  expect(broken).toEqual([])
})
