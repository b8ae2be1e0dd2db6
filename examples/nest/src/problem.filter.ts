import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { Response } from 'express';
import { problemOf } from './problems.js';

@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const { status, headers, body } = problemOf(error);
    if (status >= 500) this.logger.error(error instanceof Error ? error.stack : 'Something was thrown.');
    const response = host.switchToHttp().getResponse<Response>();
    if (response.headersSent) response.destroy();
    else response.status(status).set(headers).json(body);
  }
}
