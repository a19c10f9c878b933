import type { z } from 'zod'
import type { Core } from '../core.ts'
import { benchmarkFreeModels } from './benchmark-free-models.ts'
import { benchmarkModel } from './benchmark-model.ts'
import { benchmarkTask } from './benchmark-task.ts'
import { benchmarkTasks } from './benchmark-tasks.ts'
import { benchmarks } from './benchmarks.ts'
import { cancelJob } from './cancel-job.ts'
import { cancelTask } from './cancel-task.ts'
import { checkForUpdates } from './check-for-updates.ts'
import { createApiKey } from './create-api-key.ts'
import { clearOpenrouterTracking } from './clear-openrouter-tracking.ts'
import { cost } from './cost.ts'
import { deleteBudget } from './delete-budget.ts'
import { evidence } from './evidence.ts'
import { explainRoute } from './explain-route.ts'
import { getCostEstimate } from './get-cost-estimate.ts'
import { getFreeModels } from './get-free-models.ts'
import { getJob } from './get-job.ts'
import { getModelPromptingStrategy } from './get-model-prompting-strategy.ts'
import { getSystemState } from './get-system-state.ts'
import { getTaskStatus } from './get-task-status.ts'
import { listApiKeys } from './list-api-keys.ts'
import { listBudgets } from './list-budgets.ts'
import { listMemoryBank } from './list-memory-bank.ts'
import { listModels } from './list-models.ts'
import { listQueue } from './list-queue.ts'
import { listTasks } from './list-tasks.ts'
import type { Operation } from './operation.ts'
import { preemptiveRouteTask } from './preemptive-route-task.ts'
import { rateResult } from './rate-result.ts'
import { reconcileUsage } from './reconcile-usage.ts'
import { refreshPrices } from './refresh-prices.ts'
import { reloadConfig } from './reload-config.ts'
import { resetEvidence } from './reset-evidence.ts'
import { retrivInit } from './retriv-init.ts'
import { retrivSearch } from './retriv-search.ts'
import { revokeApiKey } from './revoke-api-key.ts'
import { rotateApiKey } from './rotate-api-key.ts'
import { routeTask } from './route-task.ts'
import { search } from './search.ts'
import { setBudget } from './set-budget.ts'
import { setModelPromptingStrategy } from './set-model-prompting-strategy.ts'
import { status } from './status.ts'
import { updateServer } from './update-server.ts'

const definitions = [
  routeTask,
  getTaskStatus,
  cancelTask,
  cancelJob,
  preemptiveRouteTask,
  explainRoute,
  getCostEstimate,
  rateResult,
  evidence,
  resetEvidence,
  status,
  cost,
  reconcileUsage,
  refreshPrices,
  retrivInit,
  retrivSearch,
  search,
  benchmarks,
  benchmarkTask,
  benchmarkTasks,
  benchmarkModel,
  benchmarkFreeModels,
  listTasks,
  listQueue,
  getJob,
  listModels,
  getSystemState,
  getFreeModels,
  clearOpenrouterTracking,
  setModelPromptingStrategy,
  getModelPromptingStrategy,
  listMemoryBank,
  createApiKey,
  listApiKeys,
  rotateApiKey,
  revokeApiKey,
  setBudget,
  listBudgets,
  deleteBudget,
  reloadConfig,
  checkForUpdates,
  updateServer,
] as const

/** Every operation, in the order in which agents are shown them. */
export const operations: readonly Operation<Core>[] = definitions

/** What each operation answers, by its name. */
export type OperationOutputs = {
  [Each in (typeof definitions)[number] as Each['name']]: z.output<Each['output']>
}
