import type { AnyHandler } from "./write/handle.ts"
import type { QueryHandler } from "./read/query-bus.ts"
import type { App, AppOptions } from "./app/application.ts"
export declare function createApp<const H extends readonly (AnyHandler | QueryHandler)[]>(options: AppOptions<H>): App<H[number]>
