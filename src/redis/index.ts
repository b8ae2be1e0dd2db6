export type { RedisClient, RedisCommands, RedisConnection } from './redis-client.js';
export { type RedisLog, redisLog, type RedisLogOptions } from './redis-log.js';
export { RedisLogError } from './redis-log-error.js';
