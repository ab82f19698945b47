/**
 * Where clouds give their machines metadata and credentials.
 * Rule: single addresses, each with the documentation that names it. Names such as metadata.google.internal are not
 * listed, because every address that a name resolves to is judged.
 * Not here: link-local addresses in general, and addresses of time and DNS services.
 */

/** In the notation of RFC 5952. */
export const metadataAddresses = [
  // AWS EC2, Azure, Google Cloud, Oracle Cloud, IBM Cloud, DigitalOcean, OpenStack and most others.
  // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
  '169.254.169.254',
  'fd00:ec2::254',
  // AWS ECS, credentials of a task: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
  '169.254.170.2',
  // AWS EKS, Pod Identity Agent: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html
  '169.254.170.23',
  'fd00:ec2::23',
  // Azure, WireServer: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
  '168.63.129.16',
  // Google Cloud, IPv6-only instances: https://cloud.google.com/compute/docs/metadata/querying-metadata
  'fd20:ce::254',
  // Oracle Cloud over IPv6: github.com/oracle/oci-python-sdk, instance_principals_security_token_signer.py
  'fd00:c1::a9fe:a9fe',
  // Oracle Cloud at Customer and Compute Classic:
  // https://docs.oracle.com/en/cloud/cloud-at-customer/occ-get-started/retrieve-predefined-instance-metadata.html
  '192.0.0.192',
  // Alibaba Cloud: https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata; over IPv6:
  // github.com/canonical/cloud-init, tests/unittests/net/test_ephemeral.py
  '100.100.100.200',
  'fd00:100::100:200',
  // Tencent Cloud, metadata.tencentyun.com: github.com/canonical/cloud-init, DataSourceTencentCloud.py
  '169.254.0.23',
  // Volcano Engine and BytePlus: https://docs.byteplus.com/en/docs/ecs/Viewing-instance-metadata
  '100.96.0.96',
  // Akamai (Linode): https://techdocs.akamai.com/cloud-computing/docs/metadata-service-api
  'fd00:a9fe:a9fe::1',
  // Scaleway: https://cloudinit.readthedocs.io/en/latest/reference/datasources/scaleway.html
  '169.254.42.42',
  'fd00:42::42',
  // OpenStack over IPv6: https://docs.openstack.org/nova/latest/admin/metadata-service.html
  'fe80::a9fe:a9fe',
] as const;
