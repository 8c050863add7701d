import { at, given, type Reader } from './reader.ts'
import type { ApprovalsNeeded } from './subject.ts'

/** @param groups that the document has: only they can be named */
export function readApprovals(
  reader: Reader,
  value: unknown,
  path: string,
  groups: ReadonlyMap<string, readonly string[]>,
  least: number,
): ApprovalsNeeded {
  const { needed, from } = reader.object(value, path, ['needed', 'from'])
  const group = (one: unknown, place: string) => {
    const name = reader.name(one, place)
    return groups.has(name) ? name : reader.no(place, 'is not a group of this document', name)
  }
  return {
    needed: reader.whole(needed, at(path, 'needed'), least, 20),
    ...given(
      'from',
      from === undefined ? undefined : reader.set(from, at(path, 'from'), 100, group),
    ),
  }
}
