import { createServer } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import { RequestProblem } from './problems.js';
import { maxBodyBytes, type ServerLimits } from './settings.js';

/** Express on a server that does not wait for slow requests: NestJS makes its own without options. */
export class LimitedAdapter extends ExpressAdapter {
  constructor(private readonly limits: ServerLimits) {
    super();
  }

  override initHttpServer(): void {
    this.setHttpServer(createServer(this.limits, this.getInstance()));
  }
}

/** Refuses by its headers what Express would pass over, or read to its end before it says no. */
export function requireSmallJson(request: Request, _response: Response, next: NextFunction): void {
  next(problemOfHead(request));
}

function problemOfHead(request: Request): RequestProblem | undefined {
  // A page of another origin can send the other types without asking first.
  if (request.method === 'POST' && request.is('application/json') === false)
    return new RequestProblem(415, 'The body must be of the type application/json.');
  return Number(request.headers['content-length']) > maxBodyBytes
    ? new RequestProblem(413, 'The body is too large.')
    : undefined;
}
