// Angular without a browser: an application's injector and its effects, and no document.
/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- Angular makes its injectors by functions. */
import '@angular/compiler';
import {
  ApplicationRef,
  createEnvironmentInjector,
  createPlatformFactory,
  type EnvironmentInjector,
  type EnvironmentProviders,
  ErrorHandler,
  PLATFORM_ID,
  platformCore,
  type PlatformRef,
  type Provider,
  provideZonelessChangeDetection,
  runInInjectionContext,
  ɵINJECTOR_SCOPE as INJECTOR_SCOPE,
} from '@angular/core';

let platform: PlatformRef | undefined;

/** The part of an application in which `injectChat()` and `turnResource()` are called. */
export interface Application {
  /** Calls a function in an injection context, which `destroy()` ends. */
  run<T>(work: () => T): T;
  /** Runs the effects that are due, as a check of the page does. */
  tick(): void;
  destroy(): void;
}

export function startApplication(
  options: {
    readonly platform?: 'browser' | 'server';
    readonly providers?: readonly (Provider | EnvironmentProviders)[];
  } = {},
): Application {
  platform ??= createPlatformFactory(platformCore, 'specs', [])();
  const injector: EnvironmentInjector = createEnvironmentInjector(
    [
      { provide: INJECTOR_SCOPE, useValue: 'root' },
      { provide: PLATFORM_ID, useValue: options.platform ?? 'browser' },
      provideZonelessChangeDetection(),
      {
        provide: ErrorHandler,
        useValue: {
          handleError(error: unknown) {
            throw error;
          },
        },
      },
      ...(options.providers ?? []),
    ],
    platform.injector as EnvironmentInjector,
  );
  return {
    run: (work) => runInInjectionContext(injector, work),
    tick: () => injector.get(ApplicationRef).tick(),
    destroy: () => injector.destroy(),
  };
}
