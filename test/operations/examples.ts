/** For each operation a valid input, and an invalid one where there is one. */
export interface Example {
  /** May be another one each time it is read. */
  readonly works: object
  fails?: object
  /** What differs between calls without making two answers different. */
  volatile?: readonly string[]
}

export interface DoneTask {
  task_id: string
  job_id: string
}

const started = [
  'task_id',
  'job_id',
  'created_at',
  'started_at',
  'queue_position',
  'eta_seconds',
  'benchmark_contention',
]
const indexing = ['duration_ms', 'files_indexed', 'index_bytes']

/** A key that exists, and the beginning of the names of two budgets that do: `…-0` and `…-1`. */
export const exampleKey = 'spare'
export const exampleBudget = 'old'

/** Requires upstreams with at least one OpenRouter model called `open/gift:free`. Both ids are of a finished task. */
export function examples({ task_id, job_id }: DoneTask): Readonly<Record<string, Example>> {
  const task = { task: 'Say hello.', context_length: 10 }
  let keys = 0
  let budgets = 0
  return {
    route_task: {
      works: task,
      fails: { task: 'Say hello.', context_length: 900_000 },
      volatile: started,
    },
    get_task_status: { works: { task_id, wait_seconds: 1 }, fails: { task_id: 'task_none' } },
    cancel_task: { works: { task_id }, fails: { task_id: 'task_none' } },
    cancel_job: { works: { job_id }, fails: { job_id: 'job_none' } },
    preemptive_route_task: { works: task, fails: { ...task, complexity: 2 } },
    explain_route: {
      works: { request: { model: 'auto', messages: [{ role: 'user', content: 'Hi' }] } },
      fails: { request: { model: 'no/such', messages: [{ role: 'user', content: 'Hi' }] } },
    },
    get_cost_estimate: { works: { context_length: 1000 }, fails: { context_length: 1000, model: 'no/such' } },
    rate_result: { works: { task_id, score: 1 }, fails: { request_id: 'req_none', score: 1 } },
    status: { works: {}, fails: { unheard_of: true }, volatile: ['uptime_seconds'] },
    cost: { works: { period: 'all' }, fails: { period: 'yesteryear' }, volatile: ['to'] },
    reconcile_usage: { works: {}, fails: { provider: 'llama-cpp' }, volatile: ['providers'] },
    refresh_prices: { works: {}, volatile: ['prices'] },
    retriv_init: { works: { directories: ['src/mcp/skills'] }, fails: { directories: ['/'] }, volatile: indexing },
    retriv_search: { works: { query: 'delegate' }, fails: { query: '!' } },
    search: { works: { query: 'delegate', max_tokens: 200 }, fails: { query: 'x', limit: 0 } },
    evidence: { works: { model: 'open/gift:free' }, fails: { modle: 'open/gift:free' } },
    reset_evidence: { works: { model: 'open/gift:free' }, fails: { model: 'no/such' }, volatile: ['forgotten'] },
    benchmarks: { works: {}, fails: { limit: 0 } },
    benchmark_task: {
      works: { task_id: 'mine', ...task, runs_per_task: 1 },
      fails: { task_id: 'mine', ...task, paid_model: 'no/such' },
      volatile: started,
    },
    benchmark_tasks: {
      works: { tasks: [{ task_id: 'mine', ...task }], runs_per_task: 1, parallel: true, max_parallel_tasks: 2 },
      fails: { tasks: [] },
      volatile: started,
    },
    benchmark_model: {
      works: { model_id: 'open/gift:free', task_categories: ['reasoning'] },
      fails: { model_id: 'open/gift:free', task_categories: ['gossip'] },
      volatile: started,
    },
    benchmark_free_models: {
      works: { tasks: [{ task_id: 'mine', ...task }], runs_per_task: 1 },
      fails: { tasks: [{ task_id: 'mine' }] },
      volatile: started,
    },
    list_tasks: { works: { status: 'completed' }, fails: { page: 0 } },
    list_queue: { works: {}, fails: { page_size: 1000 } },
    get_job: { works: { job_id }, fails: { job_id: 'job_none' } },
    list_models: { works: { q: 'gift' }, fails: { tier: 'nowhere' } },
    get_system_state: { works: {} },
    get_free_models: { works: {} },
    clear_openrouter_tracking: { works: {} },
    set_model_prompting_strategy: {
      works: { model_id: 'open/gift:free', system_prompt: 'Be brief.', user_prompt: '{task}', use_chat: true },
      fails: { model_id: 'open/gift:free' },
    },
    get_model_prompting_strategy: { works: { model_id: 'open/gift:free' }, fails: { model_id: 'no/such' } },
    list_memory_bank: { works: {} },
    create_api_key: {
      get works() {
        return { name: `key-${keys++}`, owner: 'Alice' }
      },
      fails: { name: 'a name with spaces' },
      volatile: ['name', 'token', 'created_at'],
    },
    list_api_keys: { works: {}, fails: { page: 0 } },
    rotate_api_key: { works: { name: exampleKey }, fails: { name: 'none' }, volatile: ['token'] },
    revoke_api_key: { works: { name: exampleKey }, fails: { name: 'none' } },
    set_budget: { works: { name: 'team', limit_usd: 10 }, fails: { name: 'team', limit_usd: -1 } },
    list_budgets: { works: {}, fails: { scope: 'key' } },
    delete_budget: {
      get works() {
        return { name: `${exampleBudget}-${budgets++}` }
      },
      fails: { name: 'none' },
      volatile: ['name'],
    },
    reload_config: { works: {} },
    check_for_updates: { works: {} },
    update_server: { works: {} },
  }
}
