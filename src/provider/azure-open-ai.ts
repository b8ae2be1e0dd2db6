import { withoutEndSlashes } from './endpoint.js';
import type { ModelProvider } from './model-provider.js';

export interface AzureOpenAIOptions extends Pick<
  ModelProvider,
  'apiKey' | 'apiKeyTimeout' | 'headers' | 'maxRetries' | 'idleTimeout' | 'sendReasoning' | 'unsupported'
> {
  /** The resource's address: `https://my-resource.openai.azure.com`. */
  readonly endpoint: string;
  /**
   * The name of the deployment, which determines the model. Default: the v1 API, where `model` is that name.
   */
  readonly deployment?: string | undefined;
  /** The version of Azure's API: `2024-10-21`. Required with a `deployment`; the v1 API needs none. */
  readonly apiVersion?: string | undefined;
  /**
   * A Microsoft Entra ID token instead of a key; a function is called for each attempt, because tokens expire.
   */
  readonly token?: NonNullable<ModelProvider['apiKey']> | undefined;
}

/**
 * A provider for Azure OpenAI, with its URLs and its `api-key` header. Without `apiKey` and `token`, the key is
 * read from the environment variable `AZURE_OPENAI_API_KEY`.
 *
 * With a `deployment` and an `apiVersion` it uses that deployment through the dated API, otherwise the
 * resource's v1 API.
 *
 * @example
 * ```ts
 * const provider = azureOpenAI({ endpoint: 'https://my.openai.azure.com' });
 * streamChatCompletions('Hi', { model: 'my-deployment', provider }).subscribe();
 * ```
 *
 * @throws TypeError for a `deployment` without an `apiVersion`
 * @see {@link https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle}
 */
export function azureOpenAI(options: AzureOpenAIOptions): ModelProvider {
  const { endpoint, deployment, apiVersion, token, ...settings } = options;
  if (deployment !== undefined && apiVersion === undefined)
    throw new TypeError('options.apiVersion is required with options.deployment, such as 2024-10-21.');
  const path = deployment === undefined ? 'v1' : `deployments/${encodeURIComponent(deployment)}`;
  const provider = {
    name: 'azure',
    // An empty endpoint stays empty, which is an error: a path alone would use the page's host.
    baseUrl: endpoint.trim() === '' ? '' : `${withoutEndSlashes(endpoint)}/openai/${path}`,
    ...(apiVersion !== undefined && { queryParams: { 'api-version': apiVersion } }),
    ...settings,
  };
  if (token !== undefined) return { ...provider, apiKey: token };
  return {
    ...provider,
    apiKeyHeader: 'api-key',
    envKey: 'AZURE_OPENAI_API_KEY',
    envKeyInstructions: 'The key stands in the Azure portal, under the resource’s “Keys and Endpoint”.',
  };
}
