/** `adit egress`: the command of the egress package as it is. */
export { egressCommand } from '@adit/egress';
