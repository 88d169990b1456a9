import { ObverseError } from '../errors.ts'
import type { AnyDefinition } from './define.ts'

/** Message type → definition. Types are explicit names, never those of classes or functions. */
export interface Registry {
  find(type: string): AnyDefinition | undefined
  /** @throws {ObverseError} `MESSAGE_TYPE_UNKNOWN` */
  get(type: string): AnyDefinition
  all(): readonly AnyDefinition[]
}

/**
 * @throws {ObverseError} `DEFINITION_DUPLICATE` when two different definitions share a type; the same value twice
 * is fine
 */
export function createRegistry(definitions: Iterable<AnyDefinition>): Registry {
  const byType = new Map<string, AnyDefinition>()
  for (const definition of definitions) {
    const known = byType.get(definition.type)
    if (known && known !== definition) {
      throw new ObverseError(
        'DEFINITION_DUPLICATE',
        `Two definitions have the type ${JSON.stringify(definition.type)}; give one of them another name`,
      )
    }
    byType.set(definition.type, definition)
  }
  return {
    find: (type) => byType.get(type),
    get(type) {
      const definition = byType.get(type)
      if (definition) return definition
      throw new ObverseError('MESSAGE_TYPE_UNKNOWN', `No definition has the message type ${JSON.stringify(type)}`)
    },
    all: () => [...byType.values()],
  }
}
