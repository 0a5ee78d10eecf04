import type { StartedNetwork } from 'testcontainers';

export const SERVER_PORT = 7233;
export const STORE_PORT = 7070;

/** The server's name on its network. */
export function serverName(network: StartedNetwork): string {
  return `temporal-${network.getName()}`;
}

/** The store's name on its network. */
export function storeName(network: StartedNetwork): string {
  return `store-${network.getName()}`;
}
