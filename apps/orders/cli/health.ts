import { printFailure, request } from './api.ts'
import { columns } from './columns.ts'
import type { Command } from './command.ts'

interface State {
  readonly dependencies: readonly { readonly name: string; readonly status: string }[]
}

export const healthCommand: Command = {
  says: 'the banner, and the state of every dependency',
  usage: [],
  options: {},
  async run(values) {
    const banner = await request(values, '/')
    const health = await request(values, '/health')
    const state = health.json?.data as State | undefined
    if (values.json) console.log(JSON.stringify({ banner: banner.text, ...health.json }))
    else {
      console.log(`${banner.text}\n`)
      if (health.json?.error) printFailure(health)
      if (state) {
        console.log(
          columns(
            ['DEPENDENCY', 'STATE'],
            state.dependencies.map(({ name, status }) => [name, status]),
          ),
        )
      }
    }
    return health.status === 200 ? 0 : 1
  },
}
