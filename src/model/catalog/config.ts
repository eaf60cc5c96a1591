import { configAccessCatalog } from './config-access.ts';
import { configAddressCatalog } from './config-address.ts';
import { configExposureCatalog } from './config-exposure.ts';
import { configSyntaxCatalog } from './config-syntax.ts';
import { configTlsCatalog } from './config-tls.ts';

/** What is found in a configuration file, not on a server. */
export const configCatalog = {
  ...configAccessCatalog,
  ...configAddressCatalog,
  ...configTlsCatalog,
  ...configExposureCatalog,
  ...configSyntaxCatalog,
} as const;
