{
  'targets': [
    {
      'target_name': 'finwait',
      'sources': [
        'native/addon.c',
        'native/tun.c',
        'native/interface.c',
        'native/netlink.c',
        'native/steering.c',
        'native/enclosure.c',
      ],
      'defines': ['NAPI_VERSION=8', '_GNU_SOURCE'],
      'cflags': ['-std=c11', '-O2', '-Wall', '-Wextra'],
      'cflags!': ['-Wno-unused-parameter'],
    }
  ]
}
