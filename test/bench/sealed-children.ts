/**
 * tap writes itself into the environment of every child process (NODE_OPTIONS), to follow what it does. The sandbox
 * starts its processes locked and with an empty environment, so tap must not follow those.
 */
export function sealChildren(): void {
  const hooks = Reflect.get(globalThis, Symbol.for('process-on-spawn@*:singletonId')) as
    { listeners: unknown[] } | undefined
  if (hooks !== undefined) hooks.listeners = []
}
