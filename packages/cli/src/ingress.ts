/** `adit ingress`: the command of the ingress package as it is. */
export { ingressCommand } from '@adit/ingress';
