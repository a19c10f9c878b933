import type { HostFunction } from './web-assembly.ts'

/**
 * Host functions that WebAssembly may call while generated code runs. Pyodide's interpreter imports about 270 functions, most
 * of them bridges to JavaScript objects; a program with access to `ctypes` or its own memory could call each of them. The
 * gate allows only these, which take numbers and return no host object: in-memory files, an empty environment, time and
 * random bytes, and the interpreter's own runtime.
 */
const allowed: ReadonlySet<string> = new Set(
  `
  __syscall_openat __syscall_fcntl64 __syscall_fstat64 __syscall_stat64 __syscall_lstat64 __syscall_newfstatat
  __syscall_getdents64 __syscall_getcwd __syscall_chdir __syscall_fchdir __syscall_mkdirat __syscall_unlinkat
  __syscall_rmdir __syscall_renameat __syscall_faccessat __syscall_readlinkat __syscall_symlinkat __syscall_dup
  __syscall_dup3 __syscall_utimensat __syscall_chmod __syscall_fchmod __syscall_fchmodat2 __syscall_ftruncate64
  __syscall_truncate64 __syscall_fdatasync __syscall_fadvise64 __syscall_fallocate __syscall_ioctl
  __syscall_statfs64 __syscall_fstatfs64 _try_fcntl64 fd_close fd_read fd_write fd_sync fd_seek fd_pread
  fd_pwrite fd_fdstat_get

  environ_sizes_get environ_get

  clock_res_get clock_time_get emscripten_date_now emscripten_get_now random_get _tzset_js _timegm_js _mktime_js
  _localtime_js _gmtime_js

  emscripten_resize_heap emscripten_get_heap_max _Py_CheckEmscriptenSignals_Helper _PyEM_TrampolineCall_JS
  _Py_emscripten_runtime Jsv_GetError_import _emscripten_get_progname emscripten_runtime_keepalive_push
  emscripten_runtime_keepalive_pop
`
    .trim()
    .split(/\s+/),
)

/** Functions of Pyodide that would read or change this process; the gate returns fixed values instead. */
const fixed: Readonly<Record<string, number>> = { __syscall_umask_js: 0o22, __syscall_getuid32_js: 0 }

/** System calls report an error to Python; anything else can fail only by ending the interpreter. */
const systemCall = /^(?:__syscall_|_maybe_|_try_|fd_|_mmap_js|_munmap_js|_msync_js|_emscripten_system|getaddrinfo)/
const notImplemented = -52

/** The boundary between one interpreter and this process. */
export interface Gate {
  /** Wraps every function of the import object, in place, so that functions linked later are covered too. */
  guard: (imports: Record<string, HostFunction>) => void
  /** From now on only the allowed functions run; this cannot be undone. */
  close: () => void
  /** The functions refused since then, except system calls. */
  refused: () => readonly string[]
}

export function createGate(): Gate {
  let closed = false
  const refused: string[] = []
  const guarded = (name: string, call: HostFunction): HostFunction => {
    const gate: HostFunction = (...args) => {
      if (!closed) return call(...args)
      const answer = fixed[name]
      if (answer !== undefined) return answer
      if (systemCall.test(name)) return notImplemented
      refused.push(name)
      throw new Error(`${name} is not available in the sandbox.`)
    }
    if (call.sig !== undefined) gate.sig = call.sig
    if (call.stub !== undefined) gate.stub = call.stub
    return gate
  }
  return {
    guard: imports => {
      for (const [name, call] of Object.entries(imports))
        if (typeof call === 'function' && !allowed.has(name)) imports[name] = guarded(name, call)
    },
    close: () => {
      closed = true
    },
    refused: () => refused,
  }
}
